//! Every refusal that the adapters can give, provoked over real connections and compared with one expected answer.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails is a test that fails"
)]

mod actix;
mod axum;
mod http;
mod table;
mod tonic;
mod world;
