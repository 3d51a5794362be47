//! `POST /api/auth/change-password`, which two APIs have, and `POST /api/auth/verify-password`

use actix_web::web::{self, Bytes};
use actix_web::{Error, FromRequest as _, HttpRequest, HttpResponse};
use auth_core::password::PasswordAttempt;
use serde::Serialize;
use serde_json::Value;

use super::answer::Answer;
use super::call::Call;
use super::refusal::Refusal;
use super::sign_up::{attempt, new_password, open};
use super::visitor::{self, SignedIn};
use super::wire::{DONE, UserBody, token};
use crate::accounts::change_password::{Change, change_password, set};
use crate::accounts::store::has_password;
use crate::accounts::{authenticate, change_password as ours};
use crate::http::caller::Caller;
use crate::http::client::Client;
use crate::http::json;
use crate::problem::Problem;
use crate::state::State;

/// With `currentPassword` or `newPassword` it is Better Auth's, with `current_password` or `new_password` ours; with
/// neither it is Better Auth's if the caller is known by its token.
pub(crate) async fn either(
    request: HttpRequest,
    client: Client,
    state: web::Data<State>,
    payload: web::Payload,
) -> Result<HttpResponse, Error> {
    let body = json::read(&request, payload.into_inner()).await;
    match body {
        Ok(body) if is_theirs(&request, &state, &body) => {
            let call = Call::new(request, &body).await?;
            Ok(change(call).await?)
        }
        body => {
            let caller = Caller::extract(&request).await?;
            let body = json::from_bytes::<ours::ChangePassword>(&request, body)?;
            Ok(change_password(caller, client, state, body).await?)
        }
    }
}

fn is_theirs(request: &HttpRequest, state: &State, body: &Bytes) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let has = |names: [&str; 2]| names.iter().any(|name| body.get(name).is_some());
    has(["currentPassword", "newPassword"])
        || (!has(["current_password", "new_password"]) && visitor::has_token(request, state))
}

#[derive(Serialize)]
struct Changed {
    token: Option<String>,
    user: UserBody,
}

/// Every session ends, this one too, and a new one begins, whatever `revokeOtherSessions` says: a thief may hold the
/// token of this one. The client learns of the new token by the cookie and by `set-auth-token`; the body names it where
/// Better Auth's does, if the other sessions were to be revoked.
async fn change(call: Call) -> Answer {
    let mut fields = call.fields()?;
    let (new, current) = (fields.text("newPassword"), fields.text("currentPassword"));
    let names_token = fields.optional_bool("revokeOtherSessions") == Some(true);
    fields.finish()?;
    let signed_in = call.signed_in().await?;
    let new = new_password(&call.state.password_policy, new)?;
    let attempt = attempt(current)?;
    require_credential_account(&call, &signed_in).await?;
    let attempt = attempt.ok_or_else(Refusal::invalid_password)?;
    let is_remembered = signed_in.is_remembered;
    let change = Change {
        user_id: signed_in.user_id(),
        session_id: signed_in.session.id,
        attempt,
        new,
        lifetime: visitor::lifetime(&call.state, is_remembered),
    };
    let (client, now) = (call.client.clone(), call.state.now());
    let granted = set(&call.state, change, client, now).await?;
    let token = if names_token {
        Some(token(&call.state, &granted.session_id)?)
    } else {
        None
    };
    let mut response = HttpResponse::Ok().json(Changed {
        token,
        user: granted.user.into(),
    });
    let remember_until = is_remembered.then_some(granted.expires_at);
    open(&call, &mut response, &granted.session_id, remember_until)?;
    Ok(response)
}

/// Somebody who was imported may have no password.
pub(super) async fn has_credential_account(
    call: &Call,
    signed_in: &SignedIn,
) -> Result<bool, Problem> {
    let id = signed_in.user_id();
    let db = &call.state.db;
    Ok(db
        .run(move |connection| has_password(connection, &id))
        .await?)
}

pub(super) async fn require_credential_account(
    call: &Call,
    signed_in: &SignedIn,
) -> Result<(), Refusal> {
    if has_credential_account(call, signed_in).await? {
        return Ok(());
    }
    Err(Refusal::no_credential_account())
}

/// `POST /api/auth/verify-password`
pub(super) async fn verify(call: Call) -> Answer {
    let mut fields = call.fields()?;
    let password = fields.text("password");
    fields.finish()?;
    let signed_in = call.signed_in().await?;
    // Here, one that is too long is merely wrong.
    let attempt = PasswordAttempt::new(password).map_err(|_length| Refusal::invalid_password())?;
    again(&call, &signed_in, attempt).await?;
    call.answer(&signed_in, DONE)
}

/// The password of whoever is signed in, once more.
pub(super) async fn again(
    call: &Call,
    signed_in: &SignedIn,
    attempt: PasswordAttempt,
) -> Result<authenticate::Authenticated, Problem> {
    let id = signed_in.user_id();
    let session_id = &signed_in.session.id;
    authenticate::again(&call.state, &id, session_id, attempt, &call.client).await
}
