//! Handles `POST /api/auth/change-password` of Better Auth's API. The module `auth::change_password` decides whether a
//! request is for that API.

use actix_web::HttpResponse;
use serde::Serialize;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::format::{UserBody, session_token};
use super::identity;
use super::password::require_credential_account;
use super::respond::ApiResult;
use super::sign_up_email::{new_password, parse_password_attempt, set_new_session_cookie};
use crate::accounts::change_password::{PasswordChange, change_password};

#[derive(Serialize)]
struct ChangePasswordBody {
    token: Option<String>,
    user: UserBody,
}

/// Changes the password, and replaces all sessions of the user by a new session, even without `revokeOtherSessions`: a
/// thief may have the token of any session. The new token is in the cookie and in the header `set-auth-token`. As in
/// Better Auth, the body has the token only with `revokeOtherSessions`.
pub(crate) async fn change(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    let (new_text, current_text) = (fields.text("newPassword"), fields.text("currentPassword"));
    let returns_token = fields.optional_bool("revokeOtherSessions") == Some(true);
    fields.finish()?;
    let signed_in_user = request.signed_in_user().await?;
    let new_password = new_password(&request.context.accounts.passwords.policy, new_text)?;
    let parsed_attempt = parse_password_attempt(current_text)?;
    require_credential_account(&request, &signed_in_user).await?;
    let attempt = parsed_attempt.ok_or_else(ApiError::invalid_password)?;
    let is_remembered = signed_in_user.is_remembered;
    let change = PasswordChange {
        user_id: signed_in_user.user_id(),
        session_id: signed_in_user.session.id,
        attempt,
        new_password,
        lifetime: identity::session_lifetime(&request.context, is_remembered),
    };
    let (client, now) = (request.client.clone(), request.context.sessions.now());
    let grant = change_password(&request.context.accounts, change, client, now).await?;
    let token = if returns_token {
        Some(session_token(&request.context, &grant.session_id)?)
    } else {
        None
    };
    let mut response = HttpResponse::Ok().json(ChangePasswordBody {
        token,
        user: grant.user.into(),
    });
    let remember_until = is_remembered.then_some(grant.expires_at);
    set_new_session_cookie(&request, &mut response, &grant.session_id, remember_until)?;
    Ok(response)
}
