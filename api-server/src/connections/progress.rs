//! What a connection waits for, and until when.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

/// How long a connection may keep the server waiting.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionTimeouts {
    /// For the whole header of a request, once it has begun.
    pub(crate) header: Duration,
    /// For the next request.
    pub(crate) idle: Duration,
    /// For the peer to take some of its response.
    pub(crate) response: Duration,
}

impl ConnectionTimeouts {
    fn shortest(&self) -> Duration {
        self.header.min(self.idle).min(self.response)
    }
}

/// Where one connection stands. Costs a request no timer: the watch looks when the shortest wait could be over.
#[derive(Debug)]
pub(super) struct Progress {
    /// The header of the first request is watched by actix-http, which responds 408.
    has_begun: Cell<bool>,
    in_flight: Cell<u32>,
    idle_since: Cell<Instant>,
    header_since: Cell<Option<Instant>>,
    blocked_since: Cell<Option<Instant>>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            has_begun: Cell::new(false),
            in_flight: Cell::new(0),
            idle_since: Cell::new(Instant::now()),
            header_since: Cell::new(None),
            blocked_since: Cell::new(None),
        }
    }

    /// Bytes came. Between requests they begin a header.
    pub(super) fn received(&self) {
        if self.in_flight.get() == 0 && self.header_since.get().is_none() {
            self.header_since.set(Some(Instant::now()));
        }
    }

    /// The peer took bytes.
    pub(super) fn sent(&self) {
        if self.blocked_since.get().is_some() {
            self.blocked_since.set(None);
        }
    }

    /// There is no room for what the peer should take.
    pub(super) fn blocked(&self) {
        if self.blocked_since.get().is_none() {
            self.blocked_since.set(Some(Instant::now()));
        }
    }

    /// When the connection is overdue, if what it waits for does not happen.
    fn deadline(&self, timeouts: &ConnectionTimeouts) -> Option<Instant> {
        if let Some(since) = self.blocked_since.get() {
            return Some(since + timeouts.response);
        }
        if self.in_flight.get() > 0 || !self.has_begun.get() {
            return None;
        }
        let header = self.header_since.get();
        let idle = self.idle_since.get() + timeouts.idle;
        Some(header.map_or(idle, |since| since + timeouts.header))
    }

    /// Returns when the connection is overdue.
    pub(super) async fn overdue(&self, timeouts: ConnectionTimeouts) {
        loop {
            let now = Instant::now();
            let deadline = self.deadline(&timeouts);
            if deadline.is_some_and(|deadline| deadline <= now) {
                return;
            }
            // What begins after this look cannot be overdue before the next.
            let check_at = now + timeouts.shortest();
            let check_at = deadline.map_or(check_at, |deadline| deadline.min(check_at));
            sleep_until(check_at.into()).await;
        }
    }
}

/// A request from the end of its header to the end of its response.
#[derive(Debug)]
pub(super) struct InFlight(Rc<Progress>);

impl InFlight {
    pub(super) fn new(progress: &Rc<Progress>) -> Self {
        progress.has_begun.set(true);
        progress.header_since.set(None);
        progress.in_flight.set(progress.in_flight.get() + 1);
        Self(Rc::clone(progress))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let left = self.0.in_flight.get().saturating_sub(1);
        self.0.in_flight.set(left);
        if left == 0 {
            self.0.idle_since.set(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectionTimeouts, InFlight, Progress};
    use std::rc::Rc;
    use std::time::{Duration, Instant};

    const TIMEOUTS: ConnectionTimeouts = ConnectionTimeouts {
        header: Duration::from_secs(10),
        idle: Duration::from_secs(75),
        response: Duration::from_secs(30),
    };

    /// For how long the connection may still wait, in seconds.
    fn left(progress: &Progress) -> Option<u64> {
        let deadline = progress.deadline(&TIMEOUTS)?;
        let left = deadline.duration_since(Instant::now());
        Some((left + Duration::from_millis(500)).as_secs())
    }

    #[test]
    fn each_state_has_its_timeout() {
        let progress = Rc::new(Progress::new());
        progress.received();
        assert_eq!(left(&progress), None);
        let first = InFlight::new(&progress);
        progress.received();
        assert_eq!(left(&progress), None);
        drop(first);
        assert_eq!(left(&progress), Some(75));
        progress.received();
        assert_eq!(left(&progress), Some(10));
        let second = InFlight::new(&progress);
        assert_eq!(left(&progress), None);
        progress.blocked();
        assert_eq!(left(&progress), Some(30));
        progress.sent();
        assert_eq!(left(&progress), None);
        drop(second);
        assert_eq!(left(&progress), Some(75));
    }

    #[test]
    fn more_bytes_do_not_extend_the_time_for_a_header() {
        let progress = Rc::new(Progress::new());
        drop(InFlight::new(&progress));
        progress.received();
        let deadline = progress.deadline(&TIMEOUTS);
        progress.received();
        assert_eq!(progress.deadline(&TIMEOUTS), deadline);
    }
}
