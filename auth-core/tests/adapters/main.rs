//! Tests the adapters for actix-web, axum and tonic over real connections. actix-web and axum must refuse a request
//! with the same status, `WWW-Authenticate`, `Retry-After`, `Content-Type` and body. tonic must refuse the request with
//! the corresponding gRPC status.

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
mod tower;
