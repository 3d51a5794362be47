//! Handles `GET /api/auth/list-sessions`.

use super::api_request::ApiRequest;
use super::format::SessionBody;
use super::respond::ApiResult;
use crate::problem::Problem;
use crate::sessions::list::live_sessions;

/// Lists up to 500 live sessions of the user: the session of the request with its token, the others with handles, which
/// can only end them.
pub(crate) async fn list_sessions(request: ApiRequest) -> ApiResult {
    let signed_in_user = request.signed_in_user().await?;
    let sessions = live_sessions(&request.context.sessions, signed_in_user.user_id()).await?;
    let results = sessions.into_iter().map(|session| {
        if session.id == signed_in_user.session.id {
            SessionBody::with_token(&request.context, session)
        } else {
            SessionBody::with_handle(&request.context, session)
        }
    });
    let bodies = results.collect::<Result<Vec<_>, Problem>>()?;
    request.respond(&signed_in_user, bodies)
}
