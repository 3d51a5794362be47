//! Stores, refreshes, lists and revokes sessions, and issues their tokens.

pub(crate) mod ending;
pub(crate) mod grant;
pub(crate) mod housekeeping;
mod jwks;
pub(crate) mod keys;
pub(crate) mod list;
pub(crate) mod logout;
pub(crate) mod revocation;
mod rotation;
pub(crate) mod session;
pub(crate) mod store;
pub(crate) mod token_keys;

use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};

use auth_core::Revocations;

use crate::clock::Clock;
use crate::db::{Db, Timestamp};
use crate::metrics::Metrics;
use crate::users::user::User;
use keys::Keys;
use revocation::RevocationFeed;
use session::{Lifetimes, SessionTimes};

/// The state that handlers and background tasks share to work on sessions.
pub(crate) struct Sessions {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
    pub(crate) keys: Keys,
    /// The ended sessions, the users with stale tokens and the time of the last restore, by which this process rejects
    /// access tokens.
    pub(crate) revoked: Revocations,
    pub(crate) feed: RevocationFeed,
    /// Whether the process was told to stop. It then still serves requests for a while, but `/readyz` fails.
    pub(crate) is_stopping: AtomicBool,
    /// The setting `REVOCATION_STALE_AFTER`: if this process could not read the revocations for this time, it rejects
    /// all access tokens. `None` if it never does so.
    pub(crate) revocation_stale_after: Option<Duration>,
    pub(crate) access_token_ttl: Duration,
    /// The lifetime of a session after a login, a refresh or a prolongation. A login may choose a shorter lifetime,
    /// which then applies until the first refresh.
    pub(crate) session_ttl: Duration,
    /// The longest lifetime of a session after the login, however often it is refreshed; `None` if unlimited.
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

    pub(crate) fn times(&self, now: SystemTime) -> SessionTimes {
        SessionTimes {
            now: now.into(),
            forget_after: self.forget_after(now),
            lifetimes: self.lifetimes(),
        }
    }

    /// Returns the time until which the revocation of a session that ends at `now` must be kept. Afterwards all access
    /// tokens of the session have expired, even by a slow clock of another process.
    pub(crate) fn forget_after(&self, now: SystemTime) -> Timestamp {
        revocation::forget_after(now, self.access_token_ttl).into()
    }

    /// Makes this process reject the access tokens of ended sessions. Other processes reject these tokens after they
    /// have read the revocations from the database: within two seconds, while the database responds.
    pub(crate) fn revoke_locally(&self, session_ids: &[String], now: SystemTime) {
        let forget_after = revocation::forget_after(now, self.access_token_ttl);
        for session_id in session_ids {
            self.revoked.revoke_session(session_id, forget_after);
        }
    }

    /// Makes this process reject the user's access tokens with a lower `claims_version`, as
    /// [`revoke_locally`](Self::revoke_locally) does for the tokens of sessions.
    pub(crate) fn mark_stale_locally(&self, user: &User, now: SystemTime) {
        let forget_after = revocation::forget_after(now, self.access_token_ttl);
        self.revoked
            .mark_stale(&user.id, user.claims_version, forget_after);
    }
}
