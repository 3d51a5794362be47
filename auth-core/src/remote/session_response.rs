//! Parses the responses of `GET /api/auth/session`.

use std::time::UNIX_EPOCH;

use serde::Deserialize;

use crate::{Caller, Refusal};

/// The body of a 200.
#[derive(Deserialize)]
struct SessionResponse {
    user: User,
    session: Session,
}

#[derive(Deserialize)]
struct User {
    id: String,
    email: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    id: String,
    /// RFC 3339.
    expires_at: String,
}

/// The body of a 401 (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
}

/// Parses the body of a 200; `None` unless it has a valid user id and a time of expiry since 1970.
pub(super) fn parse_caller(body: &[u8]) -> Option<Caller> {
    let SessionResponse { user, session } = serde_json::from_slice(body).ok()?;
    let expires = humantime::parse_rfc3339(&session.expires_at).ok()?;
    let expires = expires.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let is_valid_id = !user.id.is_empty() && user.id.trim() == user.id;
    let expires = i64::try_from(expires).ok()?;
    is_valid_id.then(|| Caller::new(user.id, user.email, session.id, expires))
}

/// Parses the body of a 401; `None` if it is not a problem document of the server, but for example a proxy's page.
pub(super) fn parse_unauthorized(body: &[u8]) -> Option<Refusal> {
    let problem: Problem = serde_json::from_slice(body).ok()?;
    Some(Refusal::unauthorized(&problem.code, problem.detail))
}
