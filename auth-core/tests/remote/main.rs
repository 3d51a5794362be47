//! Tests of the feature `remote` against a server with prepared responses. Each file is named after the source
//! file that it tests.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod feed;
mod server;
mod verifier;
