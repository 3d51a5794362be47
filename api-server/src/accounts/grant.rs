//! What a login, a refresh and a change of password give: the user, two tokens, a session.

use std::time::SystemTime;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::SET_COOKIE;
use auth_core::credentials::CredentialSource;
use auth_core::{Error, Subject};
use serde::Serialize;
use utoipa::ToSchema;

use super::user::User;
use crate::db::Timestamp;
use crate::problem::Problem;
use crate::sessions::session;
use crate::state::State;

/// The answer to a registration, a login, a refresh or a change of password. To a request that came with cookies the
/// tokens are given as cookies only.
#[derive(Serialize, ToSchema)]
pub(crate) struct Grant {
    user: User,
    /// Send it as `Authorization: Bearer …`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    access_token: Option<String>,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// The lifetime of the access token in seconds.
    #[schema(example = 900)]
    expires_in: i64,
    /// Opaque. Send it to `/api/auth/refresh` for the next pair of tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String)]
    refresh_token: Option<String>,
    session_id: String,
}

/// For which session, at which step of its refresh counter, and when.
pub(crate) struct Granted {
    pub(crate) user: User,
    pub(crate) session_id: String,
    pub(crate) counter: u32,
    pub(crate) issued_at: SystemTime,
    /// When the session ends: no token lives longer.
    pub(crate) expires_at: Timestamp,
}

impl Granted {
    /// Makes the tokens. The same grant at the same second gives the same tokens, so that doubled refreshes agree.
    pub(crate) fn respond(
        self,
        state: &State,
        status: StatusCode,
        source: CredentialSource,
    ) -> Result<HttpResponse, Problem> {
        let subject = Subject {
            id: &self.user.id,
            email: &self.user.email,
            session_id: &self.session_id,
        };
        let since = self.issued_at.duration_since(SystemTime::UNIX_EPOCH);
        let second = since.unwrap_or_default().as_secs();
        let id = format!("{}.{}.{second}", self.session_id, self.counter);
        let keys = state.keys.in_force();
        let latest = self.expires_at.seconds();
        let issued = keys
            .issuer
            .issue_with_id_until(&subject, id, latest, self.issued_at);
        let issued = issued.map_err(|error| match error {
            // In the session's last second there is no time left for a token.
            Error::Expired => Problem::session_over(),
            // A user that no token can be made for is our fault, not a refusal of a token.
            error => Problem::internal(error),
        })?;
        let access = issued.token;
        let refresh = session::refresh_token(&self.session_id, self.counter)
            .ok_or_else(|| Problem::internal("a session id is not a UUID"))?;
        let refresh = keys.refresh_tokens.encode(refresh);
        let mut response = HttpResponse::build(status);
        let lifetime = self.expires_at.since(self.issued_at.into());
        for cookie in state.cookies.set(&access, &refresh, lifetime) {
            response.append_header((SET_COOKIE, cookie));
        }
        let in_body = source != CredentialSource::Cookie;
        Ok(response.json(Grant {
            user: self.user,
            access_token: in_body.then_some(access),
            token_type: "Bearer",
            expires_in: issued.claims.exp - issued.claims.iat,
            refresh_token: in_body.then_some(refresh),
            session_id: self.session_id,
        }))
    }
}
