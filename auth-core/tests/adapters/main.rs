//! Tests the framework adapters over real connections. All frameworks must send the same response to a refused request.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails is a test that fails"
)]

mod actix;
mod axum;
mod fixtures;
mod http;
mod table;
mod tonic;
