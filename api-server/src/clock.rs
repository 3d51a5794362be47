//! Defines the source of the current time, which tests can replace.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// A source of the current time. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// Creates a clock that calls `read_time` whenever the time is needed.
    pub fn new(read_time: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(read_time))
    }

    /// Creates a clock that reads the system's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::new(SystemTime::now)
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
