//! A clock that the test sets.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 2026-11-20T12:57:51.869123Z, with microseconds, so that a response shows whether it keeps three digits.
const START: Duration = Duration::from_micros(1_795_179_471_869_123);

/// A clock that stands still until it is moved. Clones share the time.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<Mutex<SystemTime>>);

impl TestClock {
    /// The time when a test begins, as the server formats it.
    pub const START: &'static str = "2026-11-20T12:57:51.869Z";

    /// The server's clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }

    /// The same clock for the server.
    pub(crate) fn for_server(&self) -> api_server::clock::Clock {
        let clock = self.clone();
        api_server::clock::Clock::new(move || clock.now())
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(UNIX_EPOCH + START)))
    }
}
