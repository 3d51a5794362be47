//! `POST /api/auth/change-password`

use std::time::SystemTime;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use auth_core::password::{Password, PasswordAttempt};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::authenticate;
use super::grant::{Grant, Granted};
use super::store::{self, NewPassword, PasswordChanged, Sessions};
use super::user;
use crate::http::caller::Caller;
use crate::http::client::Client;
use crate::http::identity::UserId;
use crate::http::json::Json;
use crate::problem::Problem;
use crate::sessions::ending::surplus;
use crate::state::State;

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct ChangePassword {
    #[serde(default)]
    #[validate(custom(function = "user::attempted_password_rule"))]
    #[schema(required, format = Password, min_length = 1, max_length = 128)]
    current_password: String,
    /// 8 to 128 characters.
    #[serde(default)]
    #[validate(custom(function = "user::new_password_rule"))]
    #[schema(required, format = Password, min_length = 8, max_length = 128)]
    new_password: String,
}

/// Change the password. Every other session is revoked; this one gets new tokens.
#[utoipa::path(
    post, path = "/api/auth/change-password", tag = "account", operation_id = "changePassword",
    request_body = ChangePassword,
    responses((status = 200, description = "New tokens for this session", body = Grant)),
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
    let new = user::new_password(&body.new_password).map_err(|fault| fault.at("new_password"))?;
    let change = Change {
        user_id: caller.user_id,
        session_id: caller.session_id.clone(),
        attempt,
        new,
        sessions: Sessions::EndOthers {
            expires_at: (now + state.session_ttl).into(),
        },
    };
    let changed = set(&state, change, &client, now).await?;
    let granted = Granted {
        user: changed.user,
        session_id: caller.session_id,
        counter: changed.counter,
        issued_at: now,
        expires_at: changed.expires_at,
    };
    granted.respond(&state, StatusCode::OK, caller.came_by)
}

/// A change of password that a session asks for.
pub(crate) struct Change {
    pub(crate) user_id: UserId,
    pub(crate) session_id: String,
    /// What is said to be the current password.
    pub(crate) attempt: PasswordAttempt,
    pub(crate) new: Password,
    pub(crate) sessions: Sessions,
}

/// Changes the password of whoever knows the current one.
pub(crate) async fn set(
    state: &State,
    change: Change,
    client: &Client,
    now: SystemTime,
) -> Result<PasswordChanged, Problem> {
    let authenticated = authenticate::again(state, &change.user_id, change.attempt, client).await?;
    surplus::leave_a_few(state, &change.user_id, &change.session_id).await?;
    let turn = state.hasher.turn().await?;
    let hash = state.hasher.hash(turn, change.new).await?;
    let user_id = change.user_id.clone();
    let change = NewPassword {
        user_id: change.user_id,
        session_id: change.session_id,
        old_hash: authenticated.hash,
        new_hash: hash.as_str().to_owned(),
        sessions: change.sessions,
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
        user_id.as_str(),
        changed.ended.len()
    );
    Ok(changed)
}
