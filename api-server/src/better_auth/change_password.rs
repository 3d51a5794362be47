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
use crate::accounts::password_policy::ChosenPassword;
use crate::accounts::store::{Sessions, has_password};
use crate::accounts::{authenticate, change_password as ours};
use crate::http::caller::Caller;
use crate::http::client::Client;
use crate::http::json;
use crate::problem::Problem;
use crate::sessions::session::Session;
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

async fn change(call: Call) -> Answer {
    let mut fields = call.fields()?;
    let (new, current) = (fields.text("newPassword"), fields.text("currentPassword"));
    let start_over = fields.optional_bool("revokeOtherSessions") == Some(true);
    fields.finish()?;
    let signed_in = call.signed_in().await?;
    let new = new_password(&call.state.password_policy, new)?;
    let attempt = attempt(current)?;
    require_credential_account(&call, &signed_in).await?;
    let attempt = attempt.ok_or_else(Refusal::invalid_password)?;
    if start_over {
        return change_and_start_over(&call, signed_in, attempt, new).await;
    }
    let change = Change {
        user_id: signed_in.user_id(),
        session_id: signed_in.session.id.clone(),
        attempt,
        new,
        sessions: Sessions::Keep,
    };
    let changed = set(&call.state, change, &call.client, call.state.now()).await?;
    let body = Changed {
        token: None,
        user: changed.user.into(),
    };
    call.answer(&signed_in, body)
}

/// Every session ends, this one too; a new one begins.
async fn change_and_start_over(
    call: &Call,
    signed_in: SignedIn,
    attempt: PasswordAttempt,
    new: ChosenPassword,
) -> Answer {
    let (state, client, now) = (&call.state, call.client.clone(), call.state.now());
    let is_remembered = signed_in.is_remembered;
    let lifetime = visitor::lifetime(state, is_remembered);
    let fresh = Session::begin(&signed_in.user.id, client, now, lifetime);
    let session_id = fresh.id.clone();
    let change = Change {
        user_id: signed_in.user_id(),
        session_id: signed_in.session.id,
        attempt,
        new,
        sessions: Sessions::StartOver(fresh),
    };
    let changed = set(state, change, &call.client, now).await?;
    let mut response = HttpResponse::Ok().json(Changed {
        token: Some(token(state, &session_id)?),
        user: changed.user.into(),
    });
    open(call, &mut response, &session_id, is_remembered)?;
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
    authenticate::again(&call.state, &id, attempt, &call.client).await
}
