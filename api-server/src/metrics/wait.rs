//! Lists the waits whose durations are recorded.

use std::time::Duration;

use super::histogram::{Histogram, HistogramSnapshot};

/// Something that a request or a background task waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A permit to hash a password.
    PasswordHash,
    /// A thread and a connection, for a job that does not use the writer of SQLite.
    DatabaseJob,
    /// The writer of SQLite.
    DatabaseWriter,
}

/// The durations of all waits.
#[derive(Debug, Default)]
pub(super) struct WaitHistograms {
    password_hash: Histogram,
    database_job: Histogram,
    database_writer: Histogram,
}

/// A metric of waits. Each wait has one value of the label; a metric with one wait has no label.
#[derive(Debug)]
pub(super) struct WaitFamily {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) label: &'static str,
    pub(super) waits: &'static [(Wait, &'static str)],
}

pub(super) const FAMILIES: [WaitFamily; 2] = [
    WaitFamily {
        name: "api_server_password_hash_wait_seconds",
        help: "Time until a core was free to hash or compare a password.",
        label: "",
        waits: &[(Wait::PasswordHash, "")],
    },
    WaitFamily {
        name: "api_server_database_wait_seconds",
        help: "Time until a database job started: until a thread and a connection, or the writer of SQLite, were free.",
        label: "queue",
        waits: &[
            (Wait::DatabaseJob, "threads"),
            (Wait::DatabaseWriter, "writer"),
        ],
    },
];

impl WaitHistograms {
    pub(super) fn record(&self, wait: Wait, duration: Duration) {
        self.histogram(wait).record(duration);
    }

    pub(super) fn snapshot(&self, wait: Wait) -> HistogramSnapshot {
        self.histogram(wait).snapshot()
    }

    const fn histogram(&self, wait: Wait) -> &Histogram {
        match wait {
            Wait::PasswordHash => &self.password_hash,
            Wait::DatabaseJob => &self.database_job,
            Wait::DatabaseWriter => &self.database_writer,
        }
    }
}
