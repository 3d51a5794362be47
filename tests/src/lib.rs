//! The harness of the end-to-end tests in `tests/e2e/`.
//!
//! A test is an `async fn` with an [`App`] as its argument: a server in this process with its own database, its own
//! secret and a clock that only the test moves. A test that configures the server has an [`Engine`] as its argument.
//! [`on_both_engines!`] turns the function into two tests, `…::sqlite` and `…::postgres`. The second test needs
//! `TEST_POSTGRES_URL`: the URL of a database whose user may create databases.
//!
//! Callers are [`Client`]s: `app.anonymous()`, or `app.user("ada").await` for a registered user. Requests return a
//! [`Response`] with methods that assert the expected result: `ada.get("/api/tasks").await.ok()`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic in the harness fails the test"
)]

mod app;
mod client;
mod clock;
mod database;
mod encrypted;
mod issuer;
pub mod log_lines;
mod mail;
mod metrics;
mod options;
mod proxy;
mod response;
mod run;
mod wire;

pub use app::App;
pub use client::{Body, Client, Request};
pub use clock::TestClock;
pub use database::{Database, DatabaseSession, Engine};
pub use encrypted::connect_encrypted;
pub use issuer::Issuer;
pub use mail::Mail;
pub use metrics::Metrics;
pub use options::Options;
pub use proxy::Proxy;
pub use response::Response;
pub use run::{TestArgument, run};
pub use wire::Connection;

/// Compiles the Rust code in the guide for Rust services.
#[cfg(doctest)]
#[doc = include_str!("../../docs/rust-services.md")]
struct RustServices;
