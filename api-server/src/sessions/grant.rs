//! Issues the tokens that a registration, a login, a refresh, or a change or reset of the password returns.

use std::time::SystemTime;

use auth_core::{AccessToken, Error, Subject, TokenBuilder, TokenIssuer};

use super::{Sessions, session};
use crate::db::Timestamp;
use crate::problem::Problem;
use crate::users::user::User;

/// The permission to issue tokens of a session to the caller, with the values for the tokens.
pub(crate) struct TokenGrant {
    pub(crate) user: User,
    pub(crate) session_id: String,
    /// The rotation counter in the refresh token.
    pub(crate) counter: u32,
    pub(crate) issued_at: SystemTime,
    /// The expiry of the session. The access token expires no later.
    pub(crate) expires_at: Timestamp,
}

pub(crate) struct TokenPair {
    pub(crate) access: AccessToken,
    pub(crate) refresh: String,
}

impl TokenGrant {
    /// Issues the tokens. Equal grants get equal tokens as long as the secrets and keys stay the same, because no part
    /// of a token is random. So a refresh that is repeated within [`OVERLAP`](super::rotation::OVERLAP) returns the
    /// same tokens, unless the user's data has changed.
    pub(crate) fn issue_tokens(&self, sessions: &Sessions) -> Result<TokenPair, Problem> {
        let since_epoch = self.issued_at.duration_since(SystemTime::UNIX_EPOCH);
        let unix_seconds = since_epoch.unwrap_or_default().as_secs();
        let version = self.user.claims_version;
        // Includes the version, because a refresh that is repeated after a change of the claims returns a different
        // token, which needs a `jti` of its own.
        let jti = format!(
            "{}.{}.{unix_seconds}.{version}",
            self.session_id, self.counter
        );
        let keys = sessions.keys.current();
        let latest_expiry = self.expires_at.unix_seconds();
        let builder = token_for(&keys.issuer, &self.user, &self.session_id)
            .with_jti(jti)
            .with_max_exp(latest_expiry);
        let issue_result = builder.issue(self.issued_at);
        let access = issue_result.map_err(|error| match error {
            // The session expires in the second of `issued_at`. A token has times in whole seconds, so its `exp` would
            // equal its `iat`.
            Error::Expired => Problem::session_expired(),
            // Without this line, other errors would become a 401, although the caller's token does not cause them.
            error => Problem::internal(error),
        })?;
        let refresh_token = session::refresh_token(&self.session_id, self.counter)
            .ok_or_else(|| Problem::internal("a session id is not a UUID"))?;
        let refresh = keys.refresh_tokens.encode(refresh_token);
        Ok(TokenPair { access, refresh })
    }
}

/// Returns a builder for an access token with all claims of the user.
pub(crate) fn token_for<'a>(
    issuer: &'a TokenIssuer,
    user: &'a User,
    session_id: &'a str,
) -> TokenBuilder<'a> {
    let subject = Subject {
        id: &user.id,
        email: &user.email,
        email_verified: Some(user.email_verified),
        session_id,
    };
    issuer
        .token_for(&subject)
        .with_roles(&user.roles)
        .with_custom_claims(&user.custom_claims)
        .with_claims_version(user.claims_version)
}
