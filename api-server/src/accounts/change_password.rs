//! `POST /api/auth/change-password`

use std::time::{Duration, SystemTime};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use auth_core::password::PasswordAttempt;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::authenticate;
use super::grant::{Grant, Granted};
use super::password_policy::ChosenPassword;
use super::store::{self, NewPassword};
use super::user;
use crate::http::caller::Caller;
use crate::http::client::Client;
use crate::http::identity::UserId;
use crate::http::json::Json;
use crate::problem::Problem;
use crate::sessions::ending::surplus;
use crate::sessions::session::Session;
use crate::state::State;

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct ChangePassword {
    #[serde(default)]
    #[validate(custom(function = "user::attempted_password_rule"))]
    #[schema(required, format = Password, min_length = 1, max_length = 128)]
    current_password: String,
    /// 8 to 128 characters, none of the common passwords.
    #[serde(default)]
    #[validate(custom(function = "user::new_password_rule"))]
    #[schema(required, format = Password, min_length = 8, max_length = 128)]
    new_password: String,
}

/// Change the password. Every session of the account is revoked, this one included, and a new one begins: no token from
/// before the change is accepted any more.
#[utoipa::path(
    post, path = "/api/auth/change-password", tag = "account", operation_id = "changePassword",
    request_body = ChangePassword,
    responses((status = 200, description = "Tokens of a new session", body = Grant)),
    security(("bearer" = [])),
)]
pub(crate) async fn change_password(
    caller: Caller,
    client: Client,
    state: Data<State>,
    Json(body): Json<ChangePassword>,
) -> Result<HttpResponse, Problem> {
    let now = state.now();
    let attempt = user::attempted_password(&body.current_password)
        .map_err(|fault| fault.at("current_password"))?;
    let new = user::new_password(&state.password_policy, &body.new_password)
        .map_err(|fault| fault.at("new_password"))?;
    let change = Change {
        user_id: caller.user_id,
        session_id: caller.session_id,
        attempt,
        new,
        lifetime: state.session_ttl,
    };
    let granted = set(&state, change, client, now).await?;
    granted.respond(&state, StatusCode::OK, caller.source)
}

/// A change of password that a session asks for.
pub(crate) struct Change {
    pub(crate) user_id: UserId,
    pub(crate) session_id: String,
    /// What is said to be the current password.
    pub(crate) attempt: PasswordAttempt,
    pub(crate) new: ChosenPassword,
    /// How long the new session lives.
    pub(crate) lifetime: Duration,
}

/// Changes the password of a user who knows the current one, and replaces all of the user's sessions by a new one.
pub(crate) async fn set(
    state: &State,
    change: Change,
    client: Client,
    now: SystemTime,
) -> Result<Granted, Problem> {
    let (user_id, session_id) = (&change.user_id, &change.session_id);
    let authenticated =
        authenticate::again(state, user_id, session_id, change.attempt, &client).await?;
    surplus::leave_a_few(state, user_id, session_id).await?;
    let permit = state.hasher.permit(&client).await?;
    let hash = state.hasher.hash(permit, change.new).await?;
    let successor = Session::begin(change.user_id.as_str(), client, now, change.lifetime);
    let (session_id, expires_at) = (successor.id.clone(), successor.expires_at);
    let change = NewPassword {
        user_id: change.user_id,
        session_id: change.session_id,
        old_hash: authenticated.hash,
        new_hash: hash.as_str().to_owned(),
        successor,
        now: now.into(),
        forget_after: state.forget_after(now),
        lifetimes: state.lifetimes(),
    };
    let changed = state
        .db
        .write(move |connection| store::change_password(connection, &change))
        .await?;
    let changed = changed.ok_or_else(Problem::token_revoked)?;
    state.revoke_here(&changed.ended, now);
    log::info!(
        "password changed user_id={} sessions_ended={}",
        changed.user.id,
        changed.ended.len()
    );
    Ok(Granted {
        user: changed.user,
        session_id,
        counter: 0,
        issued_at: now,
        expires_at,
    })
}
