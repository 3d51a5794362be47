//! Handles `POST /api/auth/revoke-session`.

use actix_web::HttpResponse;

use super::api_request::ApiRequest;
use super::cookies;
use super::format::DONE;
use super::respond::ApiResult;
use crate::sessions::list::end_session;

/// Ends the caller's session that the field `token` names. If the field names no session or a session of another user,
/// ends nothing, but responds in the same way.
pub(crate) async fn revoke_session(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    let token_or_handle = fields.text("token");
    fields.finish()?;
    let signed_in_user = request.signed_in_user().await?;
    let Some(session_id) = cookies::decode_listed_session_id(&request.context, token_or_handle)
    else {
        return request.respond(&signed_in_user, DONE);
    };
    let current_session_id = signed_in_user.session.id.clone();
    let is_current = session_id == current_session_id;
    end_session(
        &request.context.sessions,
        signed_in_user.user_id(),
        current_session_id,
        session_id,
    )
    .await?;
    if is_current {
        return Ok(request.clear_cookies(HttpResponse::Ok().json(DONE)));
    }
    request.respond(&signed_in_user, DONE)
}
