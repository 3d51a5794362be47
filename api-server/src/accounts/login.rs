//! `POST /api/auth/login`

use actix_web::web::{self, Data};
use auth_core::password::{PasswordAttempt, PasswordHash};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::grant::Grant;
use super::hasher::Verdict;
use super::store::{self, Credentials};
use super::throttle::Key;
use super::user::{self, Email, User};
use crate::http::client::Client;
use crate::http::json::Json;
use crate::problem::Problem;
use crate::sessions;
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
) -> Result<web::Json<Grant>, Problem> {
    let now = state.now();
    let email = Email::parse(&body.email).map_err(|fault| fault.at("email"))?;
    let attempt = user::attempted_password(&body.password).map_err(|fault| fault.at("password"))?;
    let key = Key::new(email.clone(), client.ip_address);

    state.throttle.check(&key, now)?;
    let Some(user) = authenticate(&state, email, attempt).await? else {
        state.throttle.failed(key, now);
        log::info!("login refused");
        return Err(Problem::invalid_credentials());
    };
    state.throttle.succeeded(&key);

    let session = Session::begin(&user.id, client, now, state.session_ttl);
    let session = state
        .db
        .write(move |connection| sessions::store::insert(connection, &session).map(|()| session))
        .await?;
    log::info!("logged in user_id={} session_id={}", user.id, session.id);
    Grant::new(&state, user, session, now).map(web::Json)
}

/// One path for known and unknown addresses and for accounts without a password: each costs one bcrypt.
async fn authenticate(
    state: &State,
    email: Email,
    attempt: PasswordAttempt,
) -> Result<Option<User>, Problem> {
    let found = state
        .db
        .run(move |connection| store::find_by_email(connection, &email))
        .await?;
    let (user, stored) = split(found)?;
    let verdict = state.hasher.check(attempt, stored.clone()).await?;
    match (user, stored, verdict) {
        (Some(user), Some(old), Verdict::Right { rehashed }) => {
            if let Some(new) = rehashed {
                replace_hash(state, &user, old, new).await?;
            }
            Ok(Some(user))
        }
        _ => Ok(None),
    }
}

fn split(found: Option<Credentials>) -> Result<(Option<User>, Option<PasswordHash>), Problem> {
    let Some((user, hash)) = found else {
        return Ok((None, None));
    };
    let hash = hash.map(|text| PasswordHash::parse(&text)).transpose()?;
    Ok((Some(user), hash))
}

async fn replace_hash(
    state: &State,
    user: &User,
    old: PasswordHash,
    new: PasswordHash,
) -> Result<(), Problem> {
    let user_id = user.id.clone();
    log::info!("rehashing password user_id={user_id}");
    let replaced = state
        .db
        .write(move |connection| {
            store::replace_hash(connection, &user_id, old.as_str(), new.as_str())
        })
        .await;
    Ok(replaced?)
}
