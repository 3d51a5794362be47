//! Tests the `api-server` program: settings, commands, files, the log, signals and kills.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper that fails is a test that fails"
)]

mod backup;
mod check;
mod commands;
mod crash;
mod documents;
mod flags;
mod health;
mod interruption;
mod invalid_settings;
mod key_files;
mod keys;
mod late_refresh;
mod log_lines;
mod log_secrecy;
mod mail;
mod metrics;
mod parallel_start;
mod pipelining;
mod private_files;
mod progress;
mod reload;
mod reload_keys;
mod rotation;
mod shutdown;
mod start;
mod tls;
mod trace;
mod transfer;
