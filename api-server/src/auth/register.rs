//! Handles `POST /api/auth/register`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use auth_core::credentials::CredentialSource;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::mail_proof::MailRequested;
use super::token_response::{TokenResponder, TokenResponse};
use crate::accounts::Accounts;
use crate::accounts::login::LoginContext;
use crate::accounts::register::{NewAccount, Registration, create};
use crate::client::Client;
use crate::http::json::ValidatedJson;
use crate::http::language::AcceptedLanguage;
use crate::http::replaced_session::ReplacedSessions;
use crate::problem::Problem;
use crate::users::email::{self, Email};
use crate::users::user;

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct RegisterRequest {
    /// At most 254 bytes; compared lower-cased, with the domain in ASCII.
    #[serde(default)]
    #[validate(custom(function = "email::validate_email"))]
    #[schema(required, format = Email, max_length = 254, example = "ada@example.com")]
    email: String,
    /// 8 to 128 characters, none of the common passwords.
    #[serde(default)]
    #[validate(custom(function = "user::validate_new_password"))]
    #[schema(required, format = Password, min_length = 8, max_length = 128, example = "correct horse battery staple")]
    password: String,
    /// At most 200 characters.
    #[validate(custom(function = "user::validate_name"))]
    #[schema(max_length = 200, example = "Ada")]
    name: Option<String>,
}

/// Create an account and log in. The session of any cookie that the response replaces ends. If the server requires a
/// verified email address before the first login, the response is 202 instead, the same for free and taken addresses:
/// confirm with the link or the code of the mail, then log in.
#[utoipa::path(
    post, path = "/api/auth/register", tag = "account", operation_id = "register",
    request_body = RegisterRequest,
    responses(
        (status = 201, description = "The new account, logged in", body = TokenResponse),
        (status = 202, description = "A mail follows, with which the address is verified", body = MailRequested),
    ),
)]
pub(crate) async fn register(
    client: Client,
    AcceptedLanguage(language): AcceptedLanguage,
    ReplacedSessions(replaced_ids): ReplacedSessions,
    accounts: Data<Accounts>,
    responder: TokenResponder,
    ValidatedJson(body): ValidatedJson<RegisterRequest>,
) -> Result<HttpResponse, Problem> {
    let email = Email::parse(&body.email).map_err(|violation| violation.at("email"))?;
    let password = user::choose_password(&accounts.passwords.policy, &body.password)
        .map_err(|violation| violation.at("password"))?;
    let account = NewAccount {
        email,
        name: body.name,
        image: None,
        language,
        callback_url: None,
    };
    let context = LoginContext {
        client,
        lifetime: accounts.sessions.session_ttl,
        replaced_ids,
    };
    match create(&accounts, account, password, context).await? {
        Registration::LoggedIn(grant) => {
            responder.respond(*grant, StatusCode::CREATED, CredentialSource::Body)
        }
        Registration::Unverified(registration) => {
            Ok(HttpResponse::Accepted().json(MailRequested::from(registration.challenge)))
        }
    }
}
