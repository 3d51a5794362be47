//! Sessions: the row, refresh rotation, what ends one and how every process hears of it, the keys of their tokens.

pub(crate) mod ending;
pub(crate) mod grant;
pub(crate) mod housekeeping;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod logout;
pub(crate) mod revocation;
mod rotation;
pub(crate) mod session;
pub(crate) mod store;

use std::time::{Duration, SystemTime};

use auth_core::RevokedSessions;

use crate::clock::Clock;
use crate::db::{Db, Timestamp};
use keys::Keys;
use revocation::Feed;
use session::Lifetimes;

/// What handlers share of sessions.
pub(crate) struct Sessions {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) keys: Keys,
    pub(crate) revoked: RevokedSessions,
    pub(crate) feed: Feed,
    pub(crate) access_token_ttl: Duration,
    /// From the last use; not above `session_max_ttl`.
    pub(crate) session_ttl: Duration,
    /// From the login.
    pub(crate) session_max_ttl: Option<Duration>,
}

impl Sessions {
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    pub(crate) fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            sliding: self.session_ttl,
            absolute: self.session_max_ttl,
        }
    }

    /// When every access token of a session that ends `now` has expired.
    pub(crate) fn forget_after(&self, now: SystemTime) -> Timestamp {
        revocation::forget_after(now, self.access_token_ttl).into()
    }

    /// Refuses the access tokens of ended sessions in this process at once.
    pub(crate) fn revoke_locally(&self, session_ids: &[String], now: SystemTime) {
        let until = revocation::forget_after(now, self.access_token_ttl);
        for session_id in session_ids {
            self.revoked.insert(session_id, until);
        }
    }
}
