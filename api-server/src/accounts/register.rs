//! `POST /api/auth/register`

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use auth_core::credentials::CredentialSource;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::email::{self, Email};
use super::grant::{Grant, Granted};
use super::login::LoginContext;
use super::password_policy::ChosenPassword;
use super::store;
use super::user::{self, User};
use crate::db::{DbConnection, Timestamp};
use crate::http::client::Client;
use crate::http::identity::UserId;
use crate::http::json::Json;
use crate::problem::{Code, Problem};
use crate::sessions::replaced::ReplacedSession;
use crate::sessions::session::Opening;
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

/// Create an account and log in. A session whose cookies came with the request, and which are replaced, ends.
#[utoipa::path(
    post, path = "/api/auth/register", tag = "account", operation_id = "register",
    request_body = RegisterRequest,
    responses((status = 201, description = "The new account, logged in", body = Grant)),
)]
pub(crate) async fn register(
    client: Client,
    ReplacedSession(replaced): ReplacedSession,
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
    let context = LoginContext {
        client,
        lifetime: state.session_ttl,
        replaced,
    };
    let granted = create(&state, account, context).await?;
    granted.respond(&state, StatusCode::CREATED, CredentialSource::Body)
}

/// An account that somebody asks for.
pub(crate) struct NewAccount {
    pub(crate) email: Email,
    pub(crate) password: ChosenPassword,
    pub(crate) name: Option<String>,
    pub(crate) image: Option<String>,
}

/// Makes the account with a first session.
pub(crate) async fn create(
    state: &State,
    account: NewAccount,
    context: LoginContext,
) -> Result<Granted, Problem> {
    let network = context.client.network;
    let registration = state.throttle.registration(network, state.now())?;
    let created = create_counted(state, account, context).await;
    // An address found taken counts too: it tells that there is such an account.
    let tells = |problem: &Problem| problem.code() == Code::UserAlreadyExists;
    if created.as_ref().map_or_else(tells, |_| true) {
        registration.spend(state.now());
    }
    created
}

async fn create_counted(
    state: &State,
    account: NewAccount,
    context: LoginContext,
) -> Result<Granted, Problem> {
    let now = state.now();
    // Asked again under the permit: fifty doubled sign-ups cost one hash, not fifty.
    refuse_taken(state, &account.email).await?;
    let permit = state.hasher.permit(&context.client).await?;
    refuse_taken(state, &account.email).await?;
    let hash = state.hasher.hash(permit, account.password).await?;

    let (id, created_at) = (UserId::generate(now), Timestamp::from(now));
    let mut user = User::new(&id, account.email, account.name, created_at);
    user.image = account.image;
    let opening = context.opening(state, &user.id, now);
    let (session_id, expires_at) = (opening.session.id.clone(), opening.session.expires_at);
    let (user, ended) = insert(state, user, hash.as_str().to_owned(), opening).await?;
    state.revoke_here(&ended, now);
    log::info!("registered user_id={}", user.id);
    Ok(Granted {
        user,
        session_id,
        counter: 0,
        issued_at: now,
        expires_at,
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
    opening: Opening,
) -> Result<(User, Vec<String>), Problem> {
    let (ended, user) = state
        .db
        .write(move |connection| {
            let ended = store::register(connection, &user, &hash, &opening)?;
            Ok((ended, user))
        })
        .await?;
    Ok((user, ended.ok_or_else(taken)?))
}

fn taken() -> Problem {
    Problem::new(
        Code::UserAlreadyExists,
        "An account with this address exists already",
    )
}
