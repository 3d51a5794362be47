//! Tests the feature `remote` against a server with a prepared response. Each file with tests is named after the source
//! file that it tests.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod feed;
mod key_set;
mod server;
mod verifier;
