//! Tests of the framework adapters over real connections: every refusal has one expected response.

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
