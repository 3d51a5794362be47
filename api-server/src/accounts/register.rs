//! `POST /api/auth/register`

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::email::{self, Email};
use super::grant::{Grant, Granted};
use super::password_policy::ChosenPassword;
use super::store;
use super::user::{self, User};
use crate::db::{DbConnection, Timestamp};
use crate::http::caller::CameBy;
use crate::http::client::Client;
use crate::http::identity::UserId;
use crate::http::json::Json;
use crate::problem::{Code, Problem};
use crate::sessions::session::Session;
use crate::state::State;

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct RegisterRequest {
    /// At most 254 bytes; compared lower-cased, with the domain in ASCII.
    #[serde(default)]
    #[validate(custom(function = "email::email_rule"))]
    #[schema(required, format = Email, max_length = 254, example = "ada@example.com")]
    email: String,
    /// 8 to 128 characters, none of the common passwords.
    #[serde(default)]
    #[validate(custom(function = "user::new_password_rule"))]
    #[schema(required, format = Password, min_length = 8, max_length = 128, example = "correct horse battery staple")]
    password: String,
    /// At most 200 characters.
    #[validate(custom(function = "user::name_rule"))]
    #[schema(max_length = 200, example = "Ada")]
    name: Option<String>,
}

/// Create an account and log in.
#[utoipa::path(
    post, path = "/api/auth/register", tag = "account", operation_id = "register",
    request_body = RegisterRequest,
    responses((status = 201, description = "The new account, logged in", body = Grant)),
)]
pub(crate) async fn register(
    client: Client,
    state: Data<State>,
    Json(body): Json<RegisterRequest>,
) -> Result<HttpResponse, Problem> {
    let account = NewAccount {
        email: Email::parse(&body.email).map_err(|fault| fault.at("email"))?,
        password: user::new_password(&state.password_policy, &body.password)
            .map_err(|fault| fault.at("password"))?,
        name: body.name,
        image: None,
    };
    let granted = create(&state, account, client, state.session_ttl).await?;
    granted.respond(&state, StatusCode::CREATED, CameBy::Message)
}

/// An account that somebody asks for.
pub(crate) struct NewAccount {
    pub(crate) email: Email,
    pub(crate) password: ChosenPassword,
    pub(crate) name: Option<String>,
    pub(crate) image: Option<String>,
}

/// Makes the account with a first session of this lifetime.
pub(crate) async fn create(
    state: &State,
    account: NewAccount,
    client: Client,
    lifetime: Duration,
) -> Result<Granted, Problem> {
    let now = state.now();
    // Asked again under the turn: fifty doubled sign-ups cost one hash, not fifty.
    refuse_taken(state, &account.email).await?;
    let turn = state.hasher.turn().await?;
    refuse_taken(state, &account.email).await?;
    let hash = state.hasher.hash(turn, account.password).await?;

    let (id, created_at) = (UserId::generate(now), Timestamp::from(now));
    let mut user = User::new(&id, account.email, account.name, created_at);
    user.image = account.image;
    let session = Session::begin(&user.id, client, now, lifetime);
    let (user, session) = insert(state, user, hash.as_str().to_owned(), session).await?;
    log::info!("registered user_id={}", user.id);
    Ok(Granted {
        user,
        session_id: session.id,
        counter: 0,
        issued_at: now,
    })
}

async fn refuse_taken(state: &State, email: &Email) -> Result<(), Problem> {
    let email = email.clone();
    let check = move |connection: &mut DbConnection| store::is_taken(connection, &email);
    if state.db.run(check).await? {
        return Err(taken());
    }
    Ok(())
}

async fn insert(
    state: &State,
    user: User,
    hash: String,
    session: Session,
) -> Result<(User, Session), Problem> {
    let (inserted, user, session) = state
        .db
        .write(move |connection| {
            let inserted = store::register(connection, &user, &hash, &session)?;
            Ok((inserted, user, session))
        })
        .await?;
    if inserted {
        Ok((user, session))
    } else {
        Err(taken())
    }
}

fn taken() -> Problem {
    Problem::new(
        Code::UserAlreadyExists,
        "An account with this address exists already",
    )
}
