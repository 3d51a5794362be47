//! `POST /api/auth/change-password` in Better Auth's format. `auth::change_password` chooses between the two formats by
//! the body.

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

/// Ends every session, including this one, and begins a new one, even without `revokeOtherSessions`: a thief may have
/// the token of this session. The new token is in the cookie and in `set-auth-token`; it is in the body only with
/// `revokeOtherSessions`, as in Better Auth.
pub(crate) async fn change(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    let (new, current) = (fields.text("newPassword"), fields.text("currentPassword"));
    let returns_token = fields.optional_bool("revokeOtherSessions") == Some(true);
    fields.finish()?;
    let signed_in = request.signed_in().await?;
    let new = new_password(&request.context.accounts.passwords.policy, new)?;
    let attempt = parse_password_attempt(current)?;
    require_credential_account(&request, &signed_in).await?;
    let attempt = attempt.ok_or_else(ApiError::invalid_password)?;
    let is_remembered = signed_in.is_remembered;
    let change = PasswordChange {
        user_id: signed_in.user_id(),
        session_id: signed_in.session.id,
        attempt,
        new_password: new,
        lifetime: identity::lifetime(&request.context, is_remembered),
    };
    let (client, now) = (request.client.clone(), request.context.sessions.now());
    let granted = change_password(&request.context.accounts, change, client, now).await?;
    let token = if returns_token {
        Some(session_token(&request.context, &granted.session_id)?)
    } else {
        None
    };
    let mut response = HttpResponse::Ok().json(ChangePasswordBody {
        token,
        user: granted.user.into(),
    });
    let remember_until = is_remembered.then_some(granted.expires_at);
    set_new_session_cookie(&request, &mut response, &granted.session_id, remember_until)?;
    Ok(response)
}
