//! A session: one login, one row, for its whole life.

use std::time::{Duration, SystemTime};

use auth_core::refresh::RefreshToken;
use uuid::Uuid;

use super::rotation::Rotation;
use crate::db::Timestamp;
use crate::http::client::Client;
use crate::http::identity::generate_id;

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

/// A session that begins, and what it takes the place of.
pub(crate) struct Opening {
    pub(crate) session: Session,
    /// The session whose cookies the new one replaces; of any user.
    pub(crate) replaced: Option<String>,
    pub(crate) forget_after: Timestamp,
}

/// A session as it is kept.
pub(crate) struct StoredSession {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) rotation: Rotation,
    pub(crate) created_at: Timestamp,
    pub(crate) last_used_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) ip_address: Option<String>,
    pub(crate) user_agent: Option<String>,
}

impl StoredSession {
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
