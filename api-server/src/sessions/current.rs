//! `GET /api/auth/session`

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::Timestamp;
use crate::http::caller::Caller;

#[derive(Serialize, ToSchema)]
pub(crate) struct CurrentSession {
    user: SessionUser,
    session: SessionToken,
}

#[derive(Serialize, ToSchema)]
struct SessionUser {
    id: String,
    #[schema(example = "ada@example.com")]
    email: String,
}

#[derive(Serialize, ToSchema)]
struct SessionToken {
    id: String,
    /// When the access token expires.
    #[serde(rename = "expiresAt")]
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T12:57:51.000Z")]
    expires_at: Timestamp,
}

/// Who is calling, from the token alone: no database is asked.
#[utoipa::path(
    get, path = "/api/auth/session", tag = "session", operation_id = "getSession",
    responses((status = 200, description = "The caller and the session", body = CurrentSession)),
    security(("bearer" = [])),
)]
pub(crate) async fn show(caller: Caller) -> web::Json<CurrentSession> {
    web::Json(CurrentSession {
        user: SessionUser {
            id: caller.user_id.into_string(),
            email: caller.email,
        },
        session: SessionToken {
            id: caller.session_id,
            expires_at: Timestamp::from_micros(caller.token_expires.saturating_mul(1_000_000)),
        },
    })
}
