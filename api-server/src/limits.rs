//! Defines the limits that operators cannot change.

use std::time::Duration;

use crate::cores::cores;

/// Limits that are not settings. Tests may use other values than the defaults.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// The longest time for a request body to arrive. Defaults to 10 seconds.
    pub body_timeout: Duration,
    /// The longest time for the header of a request to arrive. Defaults to 10 seconds.
    pub header_timeout: Duration,
    /// The longest time that a connection may be idle between two requests. Defaults to 75 seconds.
    pub idle_timeout: Duration,
    /// The longest time for which a caller that does not read the response may block a write. Defaults to 30 seconds.
    pub response_timeout: Duration,
    /// Whether the rules for the open connections of a network also apply to loopback addresses. Defaults to false.
    pub counts_loopback: bool,
    /// The time after which a search for a page of tasks ends; the next page continues it. Defaults to 2 seconds.
    pub task_page_timeout: Duration,
    /// The longest time for requests in flight to finish after the signal to stop. Defaults to 10 seconds.
    pub drain_timeout: Duration,
    /// The number of threads that serve requests. Defaults to one per core.
    pub worker_threads: usize,
}

/// A connection that is idle for this time is closed.
pub const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// A connection is closed if the header of a request is not complete within this time.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_timeout: Duration::from_secs(10),
            header_timeout: HEADER_TIMEOUT,
            idle_timeout: KEEP_ALIVE,
            response_timeout: Duration::from_secs(30),
            counts_loopback: false,
            task_page_timeout: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(10),
            worker_threads: cores(),
        }
    }
}
