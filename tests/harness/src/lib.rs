//! Runs the program as users do: as a process in a folder, with a database. Sends HTTP requests to the process.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::panic,
    clippy::return_self_not_must_use,
    clippy::unwrap_used,
    reason = "a panic in the harness fails the test"
)]

mod certificate;
mod client;
mod log;
mod postgres;
mod running;
mod server;
mod terminal;
mod work_dir;

pub use certificate::CertificateFiles;
pub use client::{Connection, Response, User};
pub use log::Log;
pub use postgres::Postgres;
pub use running::Running;
pub use server::Server;
pub use terminal::Terminal;
pub use work_dir::{Outcome, Program, WorkDir, repository_file};

use std::time::Duration;

/// The longest wait for a reaction of the program, even on a busy machine. A test that waits this long fails.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// The `AUTH_SECRET` of most tests.
pub const SECRET: &str = "kX3vTq8ZrLw5Yb2Nc7Hd4Gf9Sa1Pm6Je";
/// A secret that differs from [`SECRET`].
pub const OTHER_SECRET: &str = "eJ6mP1aS9fG4dH7cN2bY5wLrZ8qTv3Xk";
