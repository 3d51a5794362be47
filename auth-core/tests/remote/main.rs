//! Delegated verification against a server that says whatever it is told to say.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod feed;
mod server;
mod verifier;
