//! Parses the responses of `GET /api/auth/session`.

use std::time::UNIX_EPOCH;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::claims::KeptPayload;
use crate::{Caller, Refusal, Roles, Scope};

/// The body of a response with status 200.
#[derive(Deserialize)]
struct SessionResponse {
    user: User,
    session: Session,
}

#[derive(Deserialize)]
struct User {
    id: String,
    email: String,
    #[serde(default)]
    roles: Roles,
    /// The custom claims; absent if the server does not send them.
    #[serde(default)]
    claims: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    id: String,
    /// The expiry of the access token, or of the session if there is no access token, in RFC 3339 format.
    expires_at: String,
    /// The scope of the access token. Absent if the token may be used for everything.
    #[serde(default)]
    scope: Option<Scope>,
}

/// The body of a response with status 401 (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
}

/// Parses the body of a 200; `None` unless the body has all required fields, a valid user id and an expiry of 1970 or
/// later, and the roles, the scope and the custom claims are valid or absent.
pub(super) fn parse_caller(body: &[u8]) -> Option<Caller> {
    let SessionResponse { user, session } = serde_json::from_slice(body).ok()?;
    let expires_at = humantime::parse_rfc3339(&session.expires_at).ok()?;
    let since_1970 = expires_at.duration_since(UNIX_EPOCH).ok()?;
    let is_valid_id = !user.id.is_empty() && user.id.trim() == user.id;
    let exp = i64::try_from(since_1970.as_secs()).ok()?;
    let custom_claims = user.claims.map(|claims| Value::Object(claims).to_string());
    is_valid_id.then(|| Caller {
        email: Some(user.email),
        sid: Some(session.id),
        roles: user.roles,
        scope: session.scope,
        payload: custom_claims.as_deref().map(KeptPayload::new),
        ..Caller::new(user.id, exp)
    })
}

/// Parses the body of a 401; `None` if the body lacks `code` or `detail`, for example the page of a proxy.
pub(super) fn parse_unauthorized(body: &[u8]) -> Option<Refusal> {
    let problem: Problem = serde_json::from_slice(body).ok()?;
    Some(Refusal::unauthorized(&problem.code, problem.detail))
}
