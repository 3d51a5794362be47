//! `POST /api/auth/login`

use std::time::{Duration, SystemTime};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use auth_core::credentials::CredentialSource;
use auth_core::password::PasswordAttempt;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::authenticate::{self, Authenticated};
use super::email::{self, LoginEmail};
use super::grant::{Grant, Granted};
use super::store;
use super::user::{self, User};
use crate::http::client::Client;
use crate::http::identity::UserId;
use crate::http::json::Json;
use crate::problem::Problem;
use crate::sessions::ending::store::BATCH;
use crate::sessions::ending::surplus;
use crate::sessions::replaced::ReplacedSession;
use crate::sessions::session::{Opening, Session};
use crate::state::State;

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct LoginRequest {
    #[serde(default)]
    #[validate(custom(function = "email::login_email_rule"))]
    #[schema(required, format = Email, max_length = 254, example = "ada@example.com")]
    email: String,
    /// Compared exactly as typed, after NFKC.
    #[serde(default)]
    #[validate(custom(function = "user::attempted_password_rule"))]
    #[schema(required, format = Password, min_length = 1, max_length = 128, example = "correct horse battery staple")]
    password: String,
}

/// Log in. A session whose cookies came with the request, and which are replaced, ends.
#[utoipa::path(
    post, path = "/api/auth/login", tag = "account", operation_id = "login",
    request_body = LoginRequest,
    responses((status = 200, description = "A new session", body = Grant)),
)]
pub(crate) async fn login(
    client: Client,
    ReplacedSession(replaced): ReplacedSession,
    state: Data<State>,
    Json(body): Json<LoginRequest>,
) -> Result<HttpResponse, Problem> {
    let email = LoginEmail::parse(&body.email).map_err(|fault| fault.at("email"))?;
    let attempt = user::attempted_password(&body.password).map_err(|fault| fault.at("password"))?;
    let context = LoginContext {
        client,
        lifetime: state.session_ttl,
        replaced,
    };
    let granted = log_in(&state, email, attempt, context).await?;
    granted.respond(&state, StatusCode::OK, CredentialSource::Body)
}

/// What a login says of the session it opens.
pub(crate) struct LoginContext {
    pub(crate) client: Client,
    pub(crate) lifetime: Duration,
    /// The session whose cookies the new one replaces.
    pub(crate) replaced: Option<String>,
}

impl LoginContext {
    pub(super) fn opening(self, state: &State, user_id: &str, now: SystemTime) -> Opening {
        Opening {
            session: Session::begin(user_id, self.client, now, self.lifetime),
            replaced: self.replaced,
            forget_after: state.forget_after(now),
            lifetimes: state.lifetimes(),
        }
    }
}

/// Opens a session for a caller who knows the password.
pub(crate) async fn log_in(
    state: &State,
    email: LoginEmail,
    attempt: PasswordAttempt,
    context: LoginContext,
) -> Result<Granted, Problem> {
    let client = &context.client;
    let Some(authenticated) = authenticate::by_email(state, email, attempt, client).await? else {
        log::info!("login refused ip_address={:?}", client.ip_address);
        return Err(Problem::invalid_credentials());
    };
    let granted = open_session(state, authenticated, context).await?;
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
    context: LoginContext,
) -> Result<Granted, Problem> {
    let now = state.now();
    let Authenticated { user, hash, keep } = authenticated;
    let opening = context.opening(state, &user.id, now);
    let (session_id, expires_at) = (opening.session.id.clone(), opening.session.expires_at);
    let opened = state
        .db
        .write(move |connection| store::open_session(connection, &opening, &hash, &keep))
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
