//! Delegated verification against a server that says whatever it is told to say.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails is a test that fails"
)]

mod server;
mod verifier;
