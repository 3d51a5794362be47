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
    /// Whether connections from loopback addresses are also counted by network, and may therefore be closed to free a
    /// slot at the limit of open connections. Defaults to false.
    pub counts_loopback: bool,
    /// The time after which the search for the tasks of one page ends, even if the page is not full. A request for the
    /// next page continues the search. Defaults to 2 seconds.
    pub task_page_timeout: Duration,
    /// The longest time for which a server that stops waits for requests in flight. Defaults to 10 seconds.
    pub drain_timeout: Duration,
    /// The number of threads that serve requests. Defaults to one per core.
    pub worker_threads: usize,
}

/// The default of [`Limits::idle_timeout`].
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// The default of [`Limits::header_timeout`].
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_timeout: Duration::from_secs(10),
            header_timeout: HEADER_TIMEOUT,
            idle_timeout: IDLE_TIMEOUT,
            response_timeout: Duration::from_secs(30),
            counts_loopback: false,
            task_page_timeout: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(10),
            worker_threads: cores(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_documented_times() {
        let limits = Limits::default();
        let seconds = [
            limits.header_timeout,
            limits.body_timeout,
            limits.idle_timeout,
            limits.response_timeout,
            limits.drain_timeout,
        ]
        .map(|limit| limit.as_secs());
        assert_eq!(seconds, [10, 10, 75, 30, 10]);
        assert!(!limits.counts_loopback);
    }
}
