//! A folder, the program in it, and somebody who talks to it.

mod client;
mod log;
mod place;
mod postgres;
mod server;

pub(crate) use client::{Answer, Connection, Person};
pub(crate) use log::Log;
pub(crate) use place::{Outcome, Place, Program, committed};
pub(crate) use postgres::Postgres;
pub(crate) use server::Server;

use std::time::Duration;

/// Longer than anything here takes, even on a busy machine; who waits this long has found a defect.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Secrets that nothing but a test knows.
pub(crate) const SECRET: &str = "kX3vTq8ZrLw5Yb2Nc7Hd4Gf9Sa1Pm6Je";
pub(crate) const OTHER_SECRET: &str = "eJ6mP1aS9fG4dH7cN2bY5wLrZ8qTv3Xk";
