//! Defines the timeouts of a connection, and the state that determines which timeout applies.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::time::sleep_until;

use super::pipeline_gate::PipelineGate;

/// Timeouts of a connection. A connection that exceeds one of the timeouts is closed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionTimeouts {
    /// Longest time until the header of a request is complete. Starts when the connection is opened (with TLS, after
    /// the handshake) or, for later requests, with the first byte that arrives after the previous response. With
    /// HTTP/2, only the first header has this limit. Also the longest time for a TLS handshake.
    pub(crate) header: Duration,
    /// Longest time from the end of a response until the first byte of the next request; with HTTP/2, until the end of
    /// its header.
    pub(crate) idle: Duration,
    /// Longest time for which the send buffer may stay full, for example if the peer does not read the response.
    pub(crate) response: Duration,
}

impl ConnectionTimeouts {
    fn shortest(&self) -> Duration {
        self.header.min(self.idle).min(self.response)
    }
}

/// The state of one connection. Instead of starting a timer for each request,
/// [`wait_until_overdue`](Self::wait_until_overdue) checks the state at intervals of at most the shortest timeout.
#[derive(Debug)]
pub(super) struct ConnectionState {
    /// Whether the header of the first request has arrived. Until then, with HTTP/1.1, actix-http applies its own
    /// timeout, after which it sends a 408 response.
    has_first_header: Cell<bool>,
    /// Number of requests in flight, that is, of [`InFlightRequest`]s.
    request_count: Cell<u32>,
    /// Time at which `request_count` last became 0. Before the first request, the time at which the connection was
    /// opened or, with HTTP/2, encrypted.
    idle_since: Cell<Instant>,
    /// Arrival time of the first byte that arrived without a request in flight. This byte is treated as the start of
    /// the next header. `None` before this byte, and once the header is complete.
    header_since: Cell<Option<Instant>>,
    /// Time of the first write that found the send buffer full; `None` if no write waits for space in the buffer.
    blocked_since: Cell<Option<Instant>>,
    /// Whether the connection speaks HTTP/2. Its bytes between two requests need not be the start of a header.
    is_http_2: Cell<bool>,
    /// Whether a read found the end of what the peer sends, or failed. Not recorded with HTTP/2.
    has_hung_up: Cell<bool>,
    /// With HTTP/1.1, which bytes may be handed to actix-http now.
    pub(super) pipeline_gate: PipelineGate,
}

impl ConnectionState {
    pub(super) fn new() -> Self {
        Self {
            has_first_header: Cell::new(false),
            request_count: Cell::new(0),
            idle_since: Cell::new(Instant::now()),
            header_since: Cell::new(None),
            blocked_since: Cell::new(None),
            is_http_2: Cell::new(false),
            has_hung_up: Cell::new(false),
            pipeline_gate: PipelineGate::default(),
        }
    }

    /// Records that the connection speaks HTTP/2. The time for the first header starts again.
    pub(super) fn record_http_2(&self) {
        self.is_http_2.set(true);
        self.idle_since.set(Instant::now());
    }

    /// Records that a read found the end of what the peer sends, or failed.
    pub(super) fn record_hang_up(&self) {
        self.has_hung_up.set(true);
    }

    pub(super) fn has_hung_up(&self) -> bool {
        self.has_hung_up.get()
    }

    /// Records that bytes arrived. If no request is in flight, the bytes are treated as part of the next header.
    pub(super) fn record_received(&self) {
        if self.request_count.get() == 0 && self.header_since.get().is_none() {
            self.header_since.set(Some(Instant::now()));
        }
    }

    /// Records that a write has ended.
    pub(super) fn record_sent(&self) {
        if self.blocked_since.take().is_some() {
            self.pipeline_gate.wake();
        }
    }

    /// Returns whether a write waits for space in the send buffer.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked_since.get().is_some()
    }

    /// Records that a write found the send buffer full.
    pub(super) fn record_blocked(&self) {
        if self.blocked_since.get().is_none() {
            self.blocked_since.set(Some(Instant::now()));
        }
    }

    /// Returns when the current timeout ends. If no write is blocked, returns `None` while a request is in flight and,
    /// with HTTP/1.1, before the first header is complete.
    fn deadline(&self, timeouts: &ConnectionTimeouts) -> Option<Instant> {
        if let Some(since) = self.blocked_since.get() {
            return Some(since + timeouts.response);
        }
        if self.request_count.get() > 0 {
            return None;
        }
        let idle_deadline = self.idle_since.get() + timeouts.idle;
        if self.is_http_2.get() {
            let first_deadline = self.idle_since.get() + timeouts.header;
            return Some(if self.has_first_header.get() {
                idle_deadline
            } else {
                first_deadline
            });
        }
        if !self.has_first_header.get() {
            return None;
        }
        let header_since = self.header_since.get();
        Some(header_since.map_or(idle_deadline, |since| since + timeouts.header))
    }

    /// Waits until the connection has exceeded one of its timeouts.
    pub(super) async fn wait_until_overdue(&self, timeouts: ConnectionTimeouts) {
        loop {
            let now = Instant::now();
            let deadline = self.deadline(&timeouts);
            if deadline.is_some_and(|deadline| deadline <= now) {
                return;
            }
            // A timeout that starts after this check cannot end before the next check.
            let latest_check = now + timeouts.shortest();
            let next_check = deadline.map_or(latest_check, |deadline| deadline.min(latest_check));
            sleep_until(next_check.into()).await;
        }
    }
}

/// A request in flight: created when the header is complete, and dropped when actix-http has the whole response body
/// (with HTTP/2, when the response was sent or the request was cancelled) or the connection is closed.
#[derive(Debug)]
pub(super) struct InFlightRequest(Rc<ConnectionState>);

impl InFlightRequest {
    pub(super) fn new(state: &Rc<ConnectionState>) -> Self {
        state.has_first_header.set(true);
        state.header_since.set(None);
        state.request_count.set(state.request_count.get() + 1);
        Self(Rc::clone(state))
    }
}

impl Drop for InFlightRequest {
    fn drop(&mut self) {
        let request_count = self.0.request_count.get().saturating_sub(1);
        self.0.request_count.set(request_count);
        if request_count == 0 {
            self.0.idle_since.set(Instant::now());
            self.0.pipeline_gate.record_responses_complete();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectionState, ConnectionTimeouts, InFlightRequest};
    use std::rc::Rc;
    use std::time::{Duration, Instant};

    const TIMEOUTS: ConnectionTimeouts = ConnectionTimeouts {
        header: Duration::from_secs(10),
        idle: Duration::from_secs(75),
        response: Duration::from_secs(30),
    };

    /// Returns the seconds until the current timeout ends, rounded to the nearest second.
    fn seconds_until_timeout(state: &ConnectionState) -> Option<u64> {
        let deadline = state.deadline(&TIMEOUTS)?;
        let remaining_time = deadline.duration_since(Instant::now());
        Some((remaining_time + Duration::from_millis(500)).as_secs())
    }

    #[test]
    fn the_state_of_a_connection_determines_the_timeout() {
        let state = Rc::new(ConnectionState::new());
        state.record_received();
        assert_eq!(seconds_until_timeout(&state), None);
        let first_request = InFlightRequest::new(&state);
        state.record_received();
        assert_eq!(seconds_until_timeout(&state), None);
        drop(first_request);
        assert_eq!(seconds_until_timeout(&state), Some(75));
        state.record_received();
        assert_eq!(seconds_until_timeout(&state), Some(10));
        let second_request = InFlightRequest::new(&state);
        assert_eq!(seconds_until_timeout(&state), None);
        state.record_blocked();
        assert_eq!(seconds_until_timeout(&state), Some(30));
        state.record_sent();
        assert_eq!(seconds_until_timeout(&state), None);
        drop(second_request);
        assert_eq!(seconds_until_timeout(&state), Some(75));
    }

    #[test]
    fn more_bytes_do_not_extend_the_time_for_a_header() {
        let state = Rc::new(ConnectionState::new());
        drop(InFlightRequest::new(&state));
        state.record_received();
        let deadline = state.deadline(&TIMEOUTS);
        state.record_received();
        assert_eq!(state.deadline(&TIMEOUTS), deadline);
    }

    #[test]
    fn a_connection_with_http_2_gets_no_more_time_for_bytes_that_are_no_request() {
        let state = Rc::new(ConnectionState::new());
        state.record_http_2();
        state.record_received();
        assert_eq!(seconds_until_timeout(&state), Some(10));
        let request = InFlightRequest::new(&state);
        assert_eq!(seconds_until_timeout(&state), None);
        drop(request);
        state.record_received();
        assert_eq!(seconds_until_timeout(&state), Some(75));
        state.record_blocked();
        assert_eq!(seconds_until_timeout(&state), Some(30));
    }
}
