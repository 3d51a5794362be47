//! Ids of users. A [`UserId`] comes from a verified token, a new account or the database, never from unchecked text.

use std::time::SystemTime;

use uuid::{ContextV7, Timestamp, Uuid};

/// The id of a user, as in the `sub` of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserId(String);

impl UserId {
    /// Generates the id of a new account.
    pub(crate) fn generate(now: SystemTime) -> Self {
        Self(generate_id(now))
    }

    /// Wraps the `sub` of a verified token. Only the module `http`, which verifies tokens, may call this function.
    pub(crate) fn verified(sub: String) -> Self {
        Self(sub)
    }

    /// Wraps the id of a user as the database stores it.
    pub(crate) fn stored(id: String) -> Self {
        Self(id)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// Returns a new `UUIDv7` as text. It is unique, and begins with `now` in milliseconds. New ids therefore follow older
/// ids in an index, which keeps the index compact.
pub(crate) fn generate_id(now: SystemTime) -> String {
    let elapsed = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let time = Timestamp::from_unix(ContextV7::new(), elapsed.as_secs(), elapsed.subsec_nanos());
    Uuid::new_v7(time).to_string()
}
