//! Ids of people. A store takes a [`UserId`], and only a verified token or a new account makes one.

use std::time::SystemTime;

use uuid::{ContextV7, Timestamp, Uuid};

/// The id of a user, as it stands in `sub`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserId(String);

impl UserId {
    /// The id of a new account.
    pub(crate) fn generate(now: SystemTime) -> Self {
        Self(generate_id(now))
    }

    /// From a token that was verified, which is why only `http` can.
    pub(crate) fn verified(sub: String) -> Self {
        Self(sub)
    }

    /// Whose session a verified refresh token names.
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

/// A new `UUIDv7` as text: unique everywhere, and in the order of creation, which keeps indexes compact.
pub(crate) fn generate_id(now: SystemTime) -> String {
    let since = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let time = Timestamp::from_unix(ContextV7::new(), since.as_secs(), since.subsec_nanos());
    Uuid::new_v7(time).to_string()
}
