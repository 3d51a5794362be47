//! Runs the program as its users do: a folder, a process in it, an HTTP client, and a database.

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
mod postgres;
mod server;
mod work_dir;

pub use client::{Connection, Response, User};
pub use log::Log;
pub use postgres::Postgres;
pub use server::Server;
pub use work_dir::{Outcome, Program, WorkDir, committed};

use std::time::Duration;

/// Longer than any step takes, even on a busy machine; a test that waits this long fails.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// The secret of most tests.
pub const SECRET: &str = "kX3vTq8ZrLw5Yb2Nc7Hd4Gf9Sa1Pm6Je";
/// A different secret.
pub const OTHER_SECRET: &str = "eJ6mP1aS9fG4dH7cN2bY5wLrZ8qTv3Xk";
