//! `GET /api/auth/sessions` and `DELETE /api/auth/sessions/{id}`

use actix_web::web::{self, Data};
use serde::Serialize;
use utoipa::ToSchema;

use super::ending::store::{Which, end_and_count};
use super::session::StoredSession;
use super::store;
use crate::db::Timestamp;
use crate::http::caller::Caller;
use crate::http::identity::UserId;
use crate::problem::{Code, Problem};
use crate::state::State;

/// More than anybody looks through; logging out everywhere still reaches all of them.
const MAX_LISTED: i64 = 500;

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
    /// Whether it is the one that asks.
    current: bool,
}

impl SessionSummary {
    fn new(session: StoredSession, current: &str) -> Self {
        Self {
            current: session.id == current,
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
    security(("bearer" = [])),
)]
pub(crate) async fn list(
    caller: Caller,
    state: Data<State>,
) -> Result<web::Json<Vec<SessionSummary>>, Problem> {
    let sessions = live(&state, caller.user_id).await?;
    let summarise = |session| SessionSummary::new(session, &caller.session_id);
    Ok(web::Json(sessions.into_iter().map(summarise).collect()))
}

/// Somebody's live sessions, last used first; 500 at most.
pub(crate) async fn live(state: &State, owner: UserId) -> Result<Vec<StoredSession>, Problem> {
    let when = (state.now().into(), state.lifetimes());
    let listed = state
        .db
        .of_account(owner.as_str())
        .run(move |connection| store::list_live(connection, &owner, when, MAX_LISTED))
        .await?;
    Ok(listed)
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
    security(("bearer" = [])),
)]
pub(crate) async fn end(
    caller: Caller,
    id: web::Path<String>,
    state: Data<State>,
) -> Result<web::Json<SessionEnded>, Problem> {
    let id = id.into_inner();
    if id.contains('\0') || !end_own(&state, caller.user_id, id).await? {
        return Err(not_found());
    }
    Ok(web::Json(SessionEnded { success: true }))
}

/// Ends a session if it is this user's; whether it was live. One that had just expired is ended too, but counts as gone.
pub(crate) async fn end_own(state: &State, owner: UserId, id: String) -> Result<bool, Problem> {
    let now = state.now();
    let (times, lifetimes) = ((now.into(), state.forget_after(now)), state.lifetimes());
    let ended = state
        .db
        .of_account(owner.as_str())
        .write(move |connection| {
            let which = Which::Own(&owner, &id);
            end_and_count(connection, &which, times, lifetimes)
        })
        .await?;
    state.revoke_here(&ended.ids, now);
    Ok(ended.live > 0)
}

fn not_found() -> Problem {
    Problem::new(Code::SessionNotFound, "There is no such session")
}
