//! Handles `POST /api/auth/password-reset` and `POST /api/auth/password-reset/confirm`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use auth_core::credentials::CredentialSource;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::mail_proof::{MailRequested, parse_proof};
use super::token_response::{TokenResponder, TokenResponse};
use crate::accounts::Accounts;
use crate::accounts::login::LoginContext;
use crate::accounts::mail_request;
use crate::accounts::password_reset::confirm as reset_password;
use crate::client::Client;
use crate::http::json::ValidatedJson;
use crate::http::language::AcceptedLanguage;
use crate::http::replaced_session::ReplacedSessions;
use crate::mail::kind::MailKind;
use crate::problem::Problem;
use crate::users::email::{self, LoginEmail};
use crate::users::user;

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct PasswordResetRequest {
    #[serde(default)]
    #[validate(custom(function = "email::validate_login_email"))]
    #[schema(required, format = Email, max_length = 254, example = "ada@example.com")]
    email: String,
}

/// Request a mail with which the user of an address chooses a new password. The response is the same for every address.
#[utoipa::path(
    post, path = "/api/auth/password-reset", tag = "account", operation_id = "requestPasswordReset",
    request_body = PasswordResetRequest,
    responses((status = 202, description = "If an account has the address, a mail follows", body = MailRequested)),
)]
pub(crate) async fn request(
    client: Client,
    AcceptedLanguage(language): AcceptedLanguage,
    accounts: Data<Accounts>,
    ValidatedJson(body): ValidatedJson<PasswordResetRequest>,
) -> Result<HttpResponse, Problem> {
    let email = LoginEmail::parse(&body.email).map_err(|violation| violation.at("email"))?;
    let kind = MailKind::PasswordReset;
    let challenge = mail_request::request(&accounts, kind, &email, language, &client).await?;
    Ok(HttpResponse::Accepted().json(MailRequested::from(challenge)))
}

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct PasswordResetConfirmation {
    /// The token in the link, after `#`. Without it, `challenge_id` and `code` are required.
    #[schema(max_length = 1024)]
    token: Option<String>,
    /// From the response to the request for the mail; with `code`.
    challenge_id: Option<String>,
    /// The code in the mail; with `challenge_id`.
    #[schema(example = "K7PM-2XQ9")]
    code: Option<String>,
    /// 8 to 128 characters, none of the common passwords.
    #[serde(default)]
    #[validate(custom(function = "user::validate_new_password"))]
    #[schema(required, format = Password, min_length = 8, max_length = 128)]
    new_password: String,
}

/// Choose a new password with the token or the code of a mail, and log in. Every session of the account ends, and the
/// address counts as verified. The token and the code work once.
#[utoipa::path(
    post, path = "/api/auth/password-reset/confirm", tag = "account", operation_id = "confirmPasswordReset",
    request_body = PasswordResetConfirmation,
    responses((status = 200, description = "A new session", body = TokenResponse)),
)]
pub(crate) async fn confirm(
    client: Client,
    ReplacedSessions(replaced_ids): ReplacedSessions,
    accounts: Data<Accounts>,
    responder: TokenResponder,
    ValidatedJson(body): ValidatedJson<PasswordResetConfirmation>,
) -> Result<HttpResponse, Problem> {
    let proof = parse_proof(body.token, body.challenge_id, body.code)?;
    let new_password = user::choose_password(&accounts.passwords.policy, &body.new_password)
        .map_err(|violation| violation.at("new_password"))?;
    let context = LoginContext {
        client,
        lifetime: accounts.sessions.session_ttl,
        replaced_ids,
    };
    let grant = reset_password(&accounts, proof, new_password, context).await?;
    responder.respond(grant, StatusCode::OK, CredentialSource::Body)
}
