//! Limits the age of the set of revoked sessions.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Error;

/// The behaviour of a verifier while its [`RevocationFeed`](crate::remote::RevocationFeed) or its `RemoteKeySet`
/// (feature `public-key`) is not up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum StalePolicy {
    /// Continues with the known revocations or keys. The tokens of a session that is revoked meanwhile, or of a key
    /// that is withdrawn meanwhile, stay valid until the feed or the key set is up to date again, or until their `exp`.
    #[default]
    FailOpen,
    /// Rejects otherwise valid tokens if the feed or the key set was last up to date longer ago than this duration, or
    /// never: with [`Error::RevocationsOutdated`] for the feed, and with [`Error::KeysUnavailable`] for the key
    /// set (both 503).
    FailClosedAfter(Duration),
}

/// A source of revocations that knows when it was last up to date.
pub(crate) trait RevocationSource: fmt::Debug + Send + Sync {
    /// Returns the time since the source was last up to date; `None` if it never was.
    fn age(&self) -> Option<Duration>;
}

/// A source of revocations and its maximum age. The source runs at least until every copy of this value is dropped.
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

    /// Checks the [age](RevocationSource::age) of the source.
    ///
    /// # Errors
    ///
    /// [`Error::RevocationsOutdated`] if there is a maximum age, and the age is above it or unknown.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let is_fresh = self
            .max_age
            .is_none_or(|max_age| self.source.age().is_some_and(|age| age <= max_age));
        is_fresh.then_some(()).ok_or(Error::RevocationsOutdated)
    }
}
