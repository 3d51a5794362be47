//! The time, as the test says it is.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 2026-11-20T12:57:51.869123Z, so that an answer shows whether it keeps three digits.
const START: Duration = Duration::from_micros(1_795_179_471_869_123);

/// A clock that stands still until it is moved. Clones share the time.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<Mutex<SystemTime>>);

impl TestClock {
    /// What it says when a test begins, as the server writes it.
    pub const START: &'static str = "2026-11-20T12:57:51.869Z";

    /// The time it is for the server.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }

    /// What the server asks for the time.
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
