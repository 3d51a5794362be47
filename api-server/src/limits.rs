//! Defines the limits that operators cannot change.

use std::time::Duration;

use crate::cores::cores;

/// Limits that are not settings. Tests may use other values than the defaults.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// Whether connections from loopback addresses are also counted by network, and may therefore be closed to free a
    /// slot at the limit of open connections. Defaults to false.
    pub counts_loopback: bool,
    /// The time after which the search for the tasks of one page ends, even if the page is not full. A request for the
    /// next page continues the search. Defaults to 2 seconds.
    pub task_page_timeout: Duration,
    /// The time limit for the requests in flight when the server stops. Defaults to 10 seconds.
    pub drain_timeout: Duration,
    /// The number of threads that serve requests. Defaults to one per core.
    pub worker_threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
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
    fn the_defaults_are_the_documented_ones() {
        let limits = Limits::default();
        assert_eq!(limits.drain_timeout, Duration::from_secs(10));
        assert_eq!(limits.task_page_timeout, Duration::from_secs(2));
        assert!(!limits.counts_loopback);
    }
}
