//! Runs the program as its users do: a folder, a process in it, a client that talks to it, a database of its own.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::panic,
    clippy::return_self_not_must_use,
    clippy::unwrap_used,
    reason = "a harness that panics is a test that fails"
)]

mod client;
mod log;
mod place;
mod postgres;
mod server;

pub use client::{Answer, Connection, Person};
pub use log::Log;
pub use place::{Outcome, Place, Program, committed};
pub use postgres::Postgres;
pub use server::Server;

use std::time::Duration;

/// Longer than anything here takes, even on a busy machine; who waits this long has found a defect.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Secrets that nothing but a test knows.
pub const SECRET: &str = "kX3vTq8ZrLw5Yb2Nc7Hd4Gf9Sa1Pm6Je";
/// As [`SECRET`], another.
pub const OTHER_SECRET: &str = "eJ6mP1aS9fG4dH7cN2bY5wLrZ8qTv3Xk";
