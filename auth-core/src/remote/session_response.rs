//! Parses the responses of `GET /api/auth/session`.

use std::time::UNIX_EPOCH;

use serde::Deserialize;

use crate::{Caller, Refusal};

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
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    id: String,
    /// When the access token expires, or the session if there is no access token, in RFC 3339 format.
    expires_at: String,
}

/// The body of a response with status 401 (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
}

/// Parses the body of a 200; `None` unless the body has all fields, a valid user id and an expiry of 1970 or later.
pub(super) fn parse_caller(body: &[u8]) -> Option<Caller> {
    let SessionResponse { user, session } = serde_json::from_slice(body).ok()?;
    let expires_at = humantime::parse_rfc3339(&session.expires_at).ok()?;
    let since_1970 = expires_at.duration_since(UNIX_EPOCH).ok()?;
    let is_valid_id = !user.id.is_empty() && user.id.trim() == user.id;
    let exp = i64::try_from(since_1970.as_secs()).ok()?;
    is_valid_id.then(|| Caller::new(user.id, user.email, session.id, exp))
}

/// Parses the body of a 401; `None` if the body lacks `code` or `detail`, for example the page of a proxy.
pub(super) fn parse_unauthorized(body: &[u8]) -> Option<Refusal> {
    let problem: Problem = serde_json::from_slice(body).ok()?;
    Some(Refusal::unauthorized(&problem.code, problem.detail))
}
