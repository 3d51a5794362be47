//! `GET /api/auth/list-sessions`

use super::call::Call;
use super::format::SessionBody;
use super::respond::ApiResult;
use crate::problem::Problem;
use crate::sessions::list::live_sessions;

/// Lists the live sessions of the user: this one with its token, the others with handles.
pub(crate) async fn list_sessions(call: Call) -> ApiResult {
    let signed_in = call.signed_in().await?;
    let sessions = live_sessions(&call.context.sessions, signed_in.user_id()).await?;
    let bodies = sessions.into_iter().map(|session| {
        if session.id == signed_in.session.id {
            SessionBody::own(&call.context, session)
        } else {
            SessionBody::other(&call.context, session)
        }
    });
    let bodies = bodies.collect::<Result<Vec<_>, Problem>>()?;
    call.respond(&signed_in, bodies)
}
