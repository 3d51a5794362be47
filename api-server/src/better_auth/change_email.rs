//! Handles `POST /api/auth/change-email`.

use actix_web::http::StatusCode;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::callback;
use super::format::DONE;
use super::respond::ApiResult;
use super::sign_up_email::parse_email;
use crate::accounts::email_change::{EmailChange, request as request_change};
use crate::http::language::AcceptedLanguage;

/// Queues a mail to the new address, with a link that confirms the change, and a notice to the current address. If
/// another user has the new address, the mail to it is not sent, but the response is the same. Unlike Better Auth,
/// needs a login within the last day, because the request has no password.
pub(crate) async fn change_email(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    let new_email_text = fields.email("newEmail");
    fields.optional_text("callbackURL");
    let new_email = parse_email(&mut fields, "newEmail", new_email_text);
    fields.finish()?;
    let signed_in_user = request.signed_in_user().await?;
    let new_email = new_email.ok_or_else(ApiError::unauthorized)?;
    if new_email.is_stored_as(&signed_in_user.user.email) {
        return Err(ApiError::bad_request("Email is the same"));
    }
    if !signed_in_user.has_recent_login(request.context.sessions.now().into()) {
        let (code, message) = ("SESSION_NOT_FRESH", "Session is not fresh");
        return Err(ApiError::new(StatusCode::FORBIDDEN, code, message));
    }
    let change = EmailChange {
        user_id: signed_in_user.user_id(),
        session_id: signed_in_user.session.id.clone(),
        password_hash: None,
        new_email,
        callback_url: callback::from_body(&request),
        language: AcceptedLanguage::of(&request.http).0,
    };
    request_change(&request.context.accounts, change, &request.client).await?;
    request.respond(&signed_in_user, DONE)
}
