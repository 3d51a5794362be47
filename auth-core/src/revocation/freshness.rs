//! Limits the age of the set of revoked sessions.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Error;

/// The behaviour of a verifier while its [`RevocationFeed`](crate::remote::RevocationFeed) has no recent response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StalePolicy {
    /// Rejects only tokens of sessions that are known to be revoked. If a session was revoked after the last response,
    /// its tokens stay valid until their `exp`.
    #[default]
    FailOpen,
    /// Rejects every token with [`Error::RevocationsOutdated`] (503) once the last complete response is older than
    /// this duration, and before the first response.
    FailClosedAfter(Duration),
}

/// A source of revocations that knows its age.
pub(crate) trait RevocationSource: fmt::Debug + Send + Sync {
    /// Returns the time since the last complete response, `None` before the first response.
    fn age(&self) -> Option<Duration>;
}

/// A source of revocations and its maximum age. The source stops only when every copy of this value is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Freshness {
    source: Arc<dyn RevocationSource>,
    max_age: Option<Duration>,
}

impl Freshness {
    pub(crate) fn new(source: Arc<dyn RevocationSource>, policy: StalePolicy) -> Self {
        Self {
            source,
            max_age: match policy {
                StalePolicy::FailOpen => None,
                StalePolicy::FailClosedAfter(max_age) => Some(max_age),
            },
        }
    }

    /// Checks the age of the source.
    ///
    /// # Errors
    ///
    /// [`Error::RevocationsOutdated`] if the age is above the maximum or unknown.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let is_fresh = self
            .max_age
            .is_none_or(|max_age| self.source.age().is_some_and(|age| age <= max_age));
        is_fresh.then_some(()).ok_or(Error::RevocationsOutdated)
    }
}
