//! Handles `POST /api/auth/login`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use auth_core::credentials::CredentialSource;
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use super::token_response::{TokenResponder, TokenResponse};
use crate::accounts::Accounts;
use crate::accounts::login::{LoginContext, log_in};
use crate::client::Client;
use crate::http::json::ValidatedJson;
use crate::http::replaced_session::ReplacedSessions;
use crate::problem::Problem;
use crate::users::email::{self, LoginEmail};
use crate::users::user;

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct LoginRequest {
    #[serde(default)]
    #[validate(custom(function = "email::validate_login_email"))]
    #[schema(required, format = Email, max_length = 254, example = "ada@example.com")]
    email: String,
    /// Compared exactly as typed, after NFKC.
    #[serde(default)]
    #[validate(custom(function = "user::validate_attempted_password"))]
    #[schema(required, format = Password, min_length = 1, max_length = 128, example = "correct horse battery staple")]
    password: String,
}

/// Log in. The session of any cookie that the response replaces ends.
#[utoipa::path(
    post, path = "/api/auth/login", tag = "account", operation_id = "login",
    request_body = LoginRequest,
    responses((status = 200, description = "A new session", body = TokenResponse)),
)]
pub(crate) async fn login(
    client: Client,
    ReplacedSessions(replaced_ids): ReplacedSessions,
    accounts: Data<Accounts>,
    responder: TokenResponder,
    ValidatedJson(body): ValidatedJson<LoginRequest>,
) -> Result<HttpResponse, Problem> {
    let email = LoginEmail::parse(&body.email).map_err(|violation| violation.at("email"))?;
    let attempt =
        user::parse_attempt(&body.password).map_err(|violation| violation.at("password"))?;
    let context = LoginContext {
        client,
        lifetime: accounts.sessions.session_ttl,
        replaced_ids,
    };
    let grant = log_in(&accounts, email, attempt, context).await?;
    responder.respond(grant, StatusCode::OK, CredentialSource::Body)
}
