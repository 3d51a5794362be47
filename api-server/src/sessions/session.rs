//! A session: one login, one row, for its whole life.

use std::time::{Duration, SystemTime};

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
