//! The harness of the end-to-end tests, which live in `tests/e2e/` in the shape of the URLs they are about.
//!
//! A test is an `async fn` that takes an [`App`]: a server of its own in this process, with its own database, its own
//! secret and a clock that only the test moves. [`on_both_engines!`] makes it two tests, `…::sqlite` and
//! `…::postgres`. The second kind needs `TEST_POSTGRES_URL`, a maintenance database in which databases may be made.
//!
//! Callers are [`Client`]s with an identity, `app.anonymous()` or `app.user("ada").await`; what they get is a
//! [`Response`], which is asked for what it should be: `ada.get("/api/tasks").await.ok()`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a harness that panics is a test that fails"
)]

mod app;
mod client;
mod clock;
mod database;
mod issuer;
pub mod log_lines;
mod options;
mod proxy;
mod response;
mod run;
mod wire;

pub use app::App;
pub use client::{Body, Client, Request};
pub use clock::TestClock;
pub use database::{Database, Engine, Session};
pub use issuer::Issuer;
pub use options::Options;
pub use proxy::Proxy;
pub use response::Response;
pub use run::{Start, run};
pub use wire::Connection;

/// Compiles the Rust in the guides.
#[cfg(doctest)]
#[doc = include_str!("../../docs/rust-services.md")]
struct RustServices;
