//! What a login, a refresh and a change of password grant: tokens of a session, at one step of its refresh counter.

use std::time::SystemTime;

use auth_core::{AccessToken, Error, Subject};

use super::{Sessions, session};
use crate::db::Timestamp;
use crate::problem::Problem;
use crate::users::user::User;

/// For which session, at which step of its refresh counter, and when.
pub(crate) struct TokenGrant {
    pub(crate) user: User,
    pub(crate) session_id: String,
    pub(crate) counter: u32,
    pub(crate) issued_at: SystemTime,
    /// When the session ends: no token lives longer.
    pub(crate) expires_at: Timestamp,
}

/// The tokens of a grant.
pub(crate) struct Tokens {
    pub(crate) access: AccessToken,
    pub(crate) refresh: String,
}

impl TokenGrant {
    /// Makes the tokens. The same grant at the same second gives the same tokens, so that doubled refreshes agree.
    pub(crate) fn tokens(&self, sessions: &Sessions) -> Result<Tokens, Problem> {
        let subject = Subject {
            id: &self.user.id,
            email: &self.user.email,
            session_id: &self.session_id,
        };
        let since = self.issued_at.duration_since(SystemTime::UNIX_EPOCH);
        let second = since.unwrap_or_default().as_secs();
        let id = format!("{}.{}.{second}", self.session_id, self.counter);
        let keys = sessions.keys.current();
        let latest = self.expires_at.unix_seconds();
        let issued = keys
            .issuer
            .issue_with_id_until(&subject, id, latest, self.issued_at);
        let access = issued.map_err(|error| match error {
            // In the session's last second there is no time left for a token.
            Error::Expired => Problem::session_expired(),
            // A user that no token can be made for is our fault, not a refusal of a token.
            error => Problem::internal(error),
        })?;
        let refresh = session::refresh_token(&self.session_id, self.counter)
            .ok_or_else(|| Problem::internal("a session id is not a UUID"))?;
        let refresh = keys.refresh_tokens.encode(refresh);
        Ok(Tokens { access, refresh })
    }
}
