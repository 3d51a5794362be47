//! A session: one login, one row, for its whole life.

use std::time::{Duration, SystemTime};

use auth_core::refresh::RefreshToken;
use uuid::Uuid;

use super::rotation::Rotation;
use crate::client::Client;
use crate::db::Timestamp;
use crate::users::id::generate_id;

/// A session as it begins.
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

/// How long sessions live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    /// From the last use.
    pub(crate) sliding: Duration,
    /// From the login, if that is limited. It also limits sessions that began before the setting was made.
    pub(crate) absolute: Option<Duration>,
}

impl Lifetimes {
    /// When a session of this login ends that would end at `expires_at`.
    pub(crate) fn limit(self, created_at: Timestamp, expires_at: Timestamp) -> Timestamp {
        match self.absolute {
            Some(absolute) => expires_at.min(created_at.plus(absolute)),
            None => expires_at,
        }
    }

    /// When a session of this login ends that is used `now`.
    pub(crate) fn slide(self, created_at: Timestamp, now: Timestamp) -> Timestamp {
        self.limit(created_at, now.plus(self.sliding))
    }

    /// A session whose login was then, or before, is over.
    pub(crate) fn too_old(self, now: Timestamp) -> Timestamp {
        match self.absolute {
            Some(absolute) => now.minus(absolute),
            None => Timestamp::from_unix_micros(0),
        }
    }
}

/// A session that begins, and what it takes the place of.
pub(crate) struct Opening {
    pub(crate) session: Session,
    /// The sessions whose cookies the new one replaces; of any user.
    pub(crate) replaced: Vec<String>,
    pub(crate) forget_after: Timestamp,
    pub(crate) lifetimes: Lifetimes,
}

/// A session as it is kept.
pub(crate) struct StoredSession {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) rotation: Rotation,
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Timestamp,
    /// When it ends: no token of it is valid longer.
    pub(crate) expires_at: Timestamp,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) ip_address: Option<String>,
    pub(crate) user_agent: Option<String>,
}

impl StoredSession {
    /// Ends no later than its absolute lifetime allows.
    pub(super) fn limited(mut self, lifetimes: Lifetimes) -> Self {
        self.expires_at = lifetimes.limit(self.created_at, self.expires_at);
        self
    }

    /// Neither ended nor expired.
    pub(crate) fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// The id of the session a refresh token names, as the database and the access tokens write it.
pub(crate) fn named_by(token: &RefreshToken) -> String {
    Uuid::from_bytes(token.session_id).to_string()
}

/// The refresh token of a session; `None` if the id is not one of ours.
pub(crate) fn refresh_token(session_id: &str, counter: u32) -> Option<RefreshToken> {
    let session_id = Uuid::parse_str(session_id).ok()?.into_bytes();
    Some(RefreshToken {
        session_id,
        counter,
    })
}
