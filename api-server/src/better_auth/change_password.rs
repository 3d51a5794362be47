//! `POST /api/auth/change-password` as Better Auth has it. `auth::change_password` serves the address and decides by the
//! body which API is meant.

use actix_web::HttpResponse;
use serde::Serialize;

use super::api_error::ApiError;
use super::call::Call;
use super::format::{UserBody, token};
use super::identity;
use super::password::require_credential_account;
use super::respond::ApiResult;
use super::sign_up_email::{new_password, parse_attempt, set_new_session_cookie};
use crate::accounts::change_password::{PasswordChange, change_password};

#[derive(Serialize)]
struct Changed {
    token: Option<String>,
    user: UserBody,
}

/// Ends every session, this one included, and begins a new one, whatever `revokeOtherSessions` says: a thief may hold the
/// token of this one. The new token is in the cookie and in `set-auth-token`; it is in the body only with
/// `revokeOtherSessions`, as in Better Auth.
pub(crate) async fn change(call: Call) -> ApiResult {
    let mut fields = call.fields()?;
    let (new, current) = (fields.text("newPassword"), fields.text("currentPassword"));
    let names_token = fields.optional_bool("revokeOtherSessions") == Some(true);
    fields.finish()?;
    let signed_in = call.signed_in().await?;
    let new = new_password(&call.context.accounts.passwords.policy, new)?;
    let attempt = parse_attempt(current)?;
    require_credential_account(&call, &signed_in).await?;
    let attempt = attempt.ok_or_else(ApiError::invalid_password)?;
    let is_remembered = signed_in.is_remembered;
    let change = PasswordChange {
        user_id: signed_in.user_id(),
        session_id: signed_in.session.id,
        attempt,
        new_password: new,
        lifetime: identity::lifetime(&call.context, is_remembered),
    };
    let (client, now) = (call.client.clone(), call.context.sessions.now());
    let granted = change_password(&call.context.accounts, change, client, now).await?;
    let token = if names_token {
        Some(token(&call.context, &granted.session_id)?)
    } else {
        None
    };
    let mut response = HttpResponse::Ok().json(Changed {
        token,
        user: granted.user.into(),
    });
    let remember_until = is_remembered.then_some(granted.expires_at);
    set_new_session_cookie(&call, &mut response, &granted.session_id, remember_until)?;
    Ok(response)
}
