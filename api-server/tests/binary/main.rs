//! The program as its users run it: started, called, signalled and killed from outside.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

mod commands;
mod crash;
mod documents;
mod drain;
mod flags;
mod hangup;
mod keys;
mod log_lines;
mod many;
mod private_files;
mod refusals;
mod rotation;
mod silence;
mod start;
mod transfer;
