//! Bounds that are not settings.

use std::time::Duration;

use crate::cores::cores;

/// Bounds that are not settings; tests make them small.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// How long a request body may take to arrive. Defaults to 10 seconds.
    pub body_timeout: Duration,
    /// How long the header of a request may take to arrive. Defaults to 10 seconds.
    pub header_timeout: Duration,
    /// How long a connection may be idle. Defaults to 75 seconds.
    pub idle_timeout: Duration,
    /// How long a caller may take nothing of its response. Defaults to 30 seconds.
    pub response_timeout: Duration,
    /// Whether peers on this machine count as networks, each by its address. Defaults to false.
    pub loopback_counts: bool,
    /// How long a page of tasks is searched for before it ends as it is. Defaults to 2 seconds.
    pub list_timeout: Duration,
    /// How long requests in flight may take after the signal to stop. Defaults to 10 seconds.
    pub drain_timeout: Duration,
    /// How many threads serve. Defaults to one per core.
    pub workers: usize,
}

/// Idle connections are kept this long.
pub const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// A caller that sends no complete header within this time is dropped.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_timeout: Duration::from_secs(10),
            header_timeout: HEADER_TIMEOUT,
            idle_timeout: KEEP_ALIVE,
            response_timeout: Duration::from_secs(30),
            loopback_counts: false,
            list_timeout: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(10),
            workers: cores(),
        }
    }
}
