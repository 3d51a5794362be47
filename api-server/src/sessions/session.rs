//! Defines the session, which is stored as one row. A session begins with a registration, a login, or a change or reset
//! of the password, and ends by expiry or revocation.

use std::time::{Duration, SystemTime};

use auth_core::refresh::RefreshToken;
use uuid::Uuid;

use super::rotation::Rotation;
use crate::client::Client;
use crate::db::Timestamp;
use crate::users::id::generate_id;

/// A new session, before it is stored.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) client: Client,
}

impl Session {
    pub(crate) fn begin(user_id: &str, client: Client, now: SystemTime, ttl: Duration) -> Self {
        Self {
            id: generate_id(now),
            user_id: user_id.to_owned(),
            created_at: now.into(),
            expires_at: (now + ttl).into(),
            client,
        }
    }
}

/// The maximum lifetimes of a session, from the settings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    /// The lifetime after a refresh or a prolongation, within the absolute lifetime.
    pub(crate) sliding: Duration,
    /// The longest lifetime from the beginning of the session; `None` if unlimited. If the setting changes, the new
    /// value also applies to existing sessions.
    pub(crate) absolute: Option<Duration>,
}

/// The time of an operation on sessions, and the time limits that apply to the sessions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionTimes {
    pub(crate) now: Timestamp,
    /// Until this time, the revocation of a session that ends at `now` must be kept. Afterwards all access tokens of
    /// the session have expired, even by a slow clock of another process.
    pub(crate) forget_after: Timestamp,
    pub(crate) lifetimes: Lifetimes,
}

impl Lifetimes {
    /// Returns `expires_at`, or the end of the absolute lifetime if that is earlier.
    pub(crate) fn cap_expiry(self, created_at: Timestamp, expires_at: Timestamp) -> Timestamp {
        match self.absolute {
            Some(absolute) => expires_at.min(created_at.plus(absolute)),
            None => expires_at,
        }
    }

    /// Returns the new expiry of a session that is refreshed or prolonged at `now`.
    pub(crate) fn extended_expiry(self, created_at: Timestamp, now: Timestamp) -> Timestamp {
        self.cap_expiry(created_at, now.plus(self.sliding))
    }

    /// Returns the cutoff for the absolute lifetime: a session that began at or before this time has reached that
    /// lifetime. If the lifetime is unlimited, returns 1970, which is before the beginning of every session.
    pub(crate) fn absolute_cutoff(self, now: Timestamp) -> Timestamp {
        match self.absolute {
            Some(absolute) => now.minus(absolute),
            None => Timestamp::from_unix_micros(0),
        }
    }
}

/// A session to open, and the values with which the same transaction ends other sessions.
pub(crate) struct SessionOpening {
    pub(crate) session: Session,
    /// The ids of the sessions whose cookies the new session replaces. These sessions may belong to other users.
    pub(crate) replaced_ids: Vec<String>,
    /// Until this time, the revocations of the ended sessions must be kept. Afterwards all their access tokens have
    /// expired, even by a slow clock of another process.
    pub(crate) forget_after: Timestamp,
    pub(crate) lifetimes: Lifetimes,
}

pub(crate) struct StoredSession {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) rotation: Rotation,
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Timestamp,
    /// The expiry of the session, within its absolute lifetime. A new access token of the session expires no later.
    pub(crate) expires_at: Timestamp,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) ip_address: Option<String>,
    pub(crate) user_agent: Option<String>,
}

impl StoredSession {
    /// Moves `expires_at` to the end of the absolute lifetime if that is earlier. When the session was stored, the
    /// setting of the absolute lifetime may have been longer.
    pub(super) fn with_capped_expiry(mut self, lifetimes: Lifetimes) -> Self {
        self.expires_at = lifetimes.cap_expiry(self.created_at, self.expires_at);
        self
    }

    /// Returns true if the session is neither revoked nor expired.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// Returns the session id in a refresh token, in the format of the database and of access tokens.
pub(crate) fn session_id_of(token: &RefreshToken) -> String {
    Uuid::from_bytes(token.session_id).to_string()
}

/// Builds the refresh token of a session; `None` if the session id is not a UUID.
pub(crate) fn refresh_token(session_id: &str, counter: u32) -> Option<RefreshToken> {
    let session_id = Uuid::parse_str(session_id).ok()?.into_bytes();
    Some(RefreshToken {
        session_id,
        counter,
    })
}
