//! Handles `GET /api/auth/sessions` and `DELETE /api/auth/sessions/{id}`.

use actix_web::web::{self, Data};
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::Timestamp;
use crate::http::caller::Caller;
use crate::http::scope;
use crate::problem::{Code, Problem};
use crate::sessions::Sessions;
use crate::sessions::list::{end_session, live_sessions};
use crate::sessions::session::StoredSession;

#[derive(Serialize, ToSchema)]
pub(crate) struct SessionSummary {
    id: String,
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T12:57:51.869Z")]
    created_at: Timestamp,
    /// The login or the last refresh.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T12:57:51.869Z")]
    last_used_at: Timestamp,
    #[schema(value_type = String, format = DateTime, example = "2026-11-27T12:57:51.869Z")]
    expires_at: Timestamp,
    #[schema(example = "203.0.113.7")]
    ip_address: Option<String>,
    user_agent: Option<String>,
    /// Whether it is the session of this request.
    current: bool,
}

impl SessionSummary {
    fn new(session: StoredSession, current_session_id: &str) -> Self {
        Self {
            current: session.id == current_session_id,
            id: session.id,
            created_at: session.created_at,
            last_used_at: session.last_used_at,
            expires_at: session.expires_at,
            ip_address: session.ip_address,
            user_agent: session.user_agent,
        }
    }
}

/// The caller's live sessions, last used first; 500 at most.
#[utoipa::path(
    get, path = "/api/auth/sessions", tag = "session", operation_id = "listSessions",
    responses((status = 200, description = "The sessions", body = Vec<SessionSummary>)),
    security(("bearer" = ["sessions"])),
)]
pub(crate) async fn list(
    caller: Caller<scope::Sessions>,
    sessions: Data<Sessions>,
) -> Result<web::Json<Vec<SessionSummary>>, Problem> {
    let stored_sessions = live_sessions(&sessions, caller.user_id).await?;
    let summarise = |session| SessionSummary::new(session, &caller.session_id);
    let summaries = stored_sessions.into_iter().map(summarise);
    Ok(web::Json(summaries.collect()))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SessionEnded {
    success: bool,
}

/// End one of the caller's sessions.
#[utoipa::path(
    delete, path = "/api/auth/sessions/{id}", tag = "session", operation_id = "endSession",
    params(("id" = String, Path, description = "The session")),
    responses((status = 200, description = "It has ended", body = SessionEnded)),
    security(("bearer" = ["sessions"])),
)]
pub(crate) async fn end(
    caller: Caller<scope::Sessions>,
    path: web::Path<String>,
    sessions: Data<Sessions>,
) -> Result<web::Json<SessionEnded>, Problem> {
    let id = path.into_inner();
    if id.contains('\0') || !end_session(&sessions, caller.user_id, caller.session_id, id).await? {
        return Err(not_found());
    }
    Ok(web::Json(SessionEnded { success: true }))
}

fn not_found() -> Problem {
    Problem::new(Code::SessionNotFound, "There is no such session")
}
