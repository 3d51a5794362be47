//! `POST /api/auth/login`

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use auth_core::password::PasswordAttempt;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::authenticate::{self, Authenticated};
use super::grant::{Grant, Granted};
use super::store;
use super::user::{self, Email, User};
use crate::http::caller::CameBy;
use crate::http::client::Client;
use crate::http::identity::UserId;
use crate::http::json::Json;
use crate::problem::Problem;
use crate::sessions::ending::store::BATCH;
use crate::sessions::ending::surplus;
use crate::sessions::session::Session;
use crate::state::State;

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct LoginRequest {
    #[serde(default)]
    #[validate(custom(function = "user::email_rule"))]
    #[schema(required, format = Email, max_length = 254, example = "ada@example.com")]
    email: String,
    /// Compared exactly as typed, after NFKC.
    #[serde(default)]
    #[validate(custom(function = "user::attempted_password_rule"))]
    #[schema(required, format = Password, min_length = 1, max_length = 128, example = "correct horse battery staple")]
    password: String,
}

/// Log in.
#[utoipa::path(
    post, path = "/api/auth/login", tag = "account", operation_id = "login",
    request_body = LoginRequest,
    responses((status = 200, description = "A new session", body = Grant)),
)]
pub(crate) async fn login(
    client: Client,
    state: Data<State>,
    Json(body): Json<LoginRequest>,
) -> Result<HttpResponse, Problem> {
    let email = Email::parse(&body.email).map_err(|fault| fault.at("email"))?;
    let attempt = user::attempted_password(&body.password).map_err(|fault| fault.at("password"))?;
    let granted = log_in(&state, email, attempt, client, state.session_ttl).await?;
    granted.respond(&state, StatusCode::OK, CameBy::Message)
}

/// Opens a session of this lifetime for whoever knows the password.
pub(crate) async fn log_in(
    state: &State,
    email: Email,
    attempt: PasswordAttempt,
    client: Client,
    lifetime: Duration,
) -> Result<Granted, Problem> {
    let Some(authenticated) = authenticate::by_email(state, email, attempt, &client).await? else {
        log::info!("login refused ip_address={:?}", client.ip_address);
        return Err(Problem::invalid_credentials());
    };
    let granted = open_session(state, authenticated, client, lifetime).await?;
    log::info!(
        "logged in user_id={} session_id={}",
        granted.user.id,
        granted.session_id
    );
    Ok(granted)
}

/// A login that was under way while the password was changed is refused like any with the old password.
async fn open_session(
    state: &State,
    authenticated: Authenticated,
    client: Client,
    lifetime: Duration,
) -> Result<Granted, Problem> {
    let now = state.now();
    let Authenticated { user, hash, keep } = authenticated;
    let session = Session::begin(&user.id, client, now, lifetime);
    let (session_id, expires_at) = (session.id.clone(), session.expires_at);
    let (times, lifetimes) = ((now.into(), state.forget_after(now)), state.lifetimes());
    let opened = state
        .db
        .write(move |connection| {
            let compared = (hash.as_str(), keep.as_str());
            store::open_session(connection, &session, compared, times, lifetimes)
        })
        .await?;
    let ended = opened.ok_or_else(Problem::invalid_credentials)?;
    end_surplus(state, &user, &session_id, ended).await;
    Ok(Granted {
        user,
        session_id,
        counter: 0,
        issued_at: now,
        expires_at,
    })
}

/// Makes known which sessions were ended for the new one, and goes on if there are too many for one transaction. Should
/// the database fail meanwhile, the login has succeeded all the same, and the next one goes on.
async fn end_surplus(state: &State, user: &User, session_id: &str, ended: Vec<String>) {
    if ended.is_empty() {
        return;
    }
    state.revoke_here(&ended, state.now());
    let is_full = i64::try_from(ended.len()).is_ok_and(|count| count >= BATCH);
    let mut count = ended.len();
    if is_full {
        let owner = UserId::stored(user.id.clone());
        match surplus::keep_to_the_limit(state, &owner, session_id).await {
            Ok(more) => count += more,
            Err(error) => log::warn!(
                "sessions beyond the limit stay user_id={} cause={error:?}",
                user.id
            ),
        }
    }
    log::info!(
        "sessions beyond the limit ended user_id={} sessions_ended={count}",
        user.id
    );
}
