//! Defines a clock that only the test advances.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The time of a new clock, 2026-11-20T12:57:51.869123Z, as the time since 1970. In responses, the server rounds times
/// down to milliseconds.
const START_AFTER_EPOCH: Duration = Duration::from_micros(1_795_179_471_869_123);

/// A clock that stands still until [`TestClock::advance`]. All clones share one time.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<Mutex<SystemTime>>);

impl TestClock {
    /// The time of a new clock, as the server formats it.
    pub const START: &'static str = "2026-11-20T12:57:51.869Z";

    /// The current time of this clock.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }

    /// Returns this clock as the type that the server expects.
    pub(crate) fn for_server(&self) -> api_server::clock::Clock {
        let clock = self.clone();
        api_server::clock::Clock::new(move || clock.now())
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(UNIX_EPOCH + START_AFTER_EPOCH)))
    }
}
