//! Handles `POST /api/auth/email-change` and its paths `/confirm` and `/undo`.

use actix_web::HttpResponse;
use actix_web::web::{self, Data};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::mail_proof::{MailRequested, parse_proof};
use crate::accounts::Accounts;
use crate::accounts::email_change::{
    EmailChange, confirm as confirm_change, request as request_change, undo as undo_change,
};
use crate::client::Client;
use crate::http::caller::Caller;
use crate::http::json::ValidatedJson;
use crate::http::language::AcceptedLanguage;
use crate::http::scope;
use crate::problem::Problem;
use crate::problem::violation::FieldViolation;
use crate::users::email::{self, Email};
use crate::users::user::{self, User};

const UNCHANGED: FieldViolation =
    FieldViolation::new("unchanged", "is the email address of the account already");

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct EmailChangeRequest {
    #[serde(default)]
    #[validate(custom(function = "user::validate_attempted_password"))]
    #[schema(required, format = Password, min_length = 1, max_length = 128)]
    password: String,
    #[serde(default)]
    #[validate(custom(function = "email::validate_email"))]
    #[schema(required, format = Email, max_length = 254, example = "ada@example.org")]
    new_email: String,
}

/// Request a mail to a new email address, with which the change to this address is confirmed. The current address gets
/// a notice. The response is the same if the address belongs to another account; then no mail is sent to it.
#[utoipa::path(
    post, path = "/api/auth/email-change", tag = "account", operation_id = "requestEmailChange",
    request_body = EmailChangeRequest,
    responses((status = 202, description = "A mail follows, unless another account has the address", body = MailRequested)),
    security(("bearer" = ["account:write"])),
)]
pub(crate) async fn request(
    caller: Caller<scope::AccountWrite>,
    client: Client,
    AcceptedLanguage(language): AcceptedLanguage,
    accounts: Data<Accounts>,
    ValidatedJson(body): ValidatedJson<EmailChangeRequest>,
) -> Result<HttpResponse, Problem> {
    let attempt =
        user::parse_attempt(&body.password).map_err(|violation| violation.at("password"))?;
    let new_email = Email::parse(&body.new_email).map_err(|violation| violation.at("new_email"))?;
    let authenticated = accounts
        .passwords
        .confirm(&caller.user_id, &caller.session_id, attempt, &client)
        .await?;
    if new_email.is_stored_as(&authenticated.user.email) {
        return Err(UNCHANGED.at("new_email"));
    }
    let change = EmailChange {
        user_id: caller.user_id,
        session_id: caller.session_id,
        password_hash: Some(authenticated.hash),
        new_email,
        callback_url: None,
        language,
    };
    let challenge = request_change(&accounts, change, &client).await?;
    Ok(HttpResponse::Accepted().json(MailRequested::from(challenge)))
}

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct EmailChangeConfirmation {
    /// The token in the link, after `#`. Without it, `challenge_id` and `code` are required.
    #[schema(max_length = 1024)]
    token: Option<String>,
    /// From the response to the request for the mail; with `code`.
    challenge_id: Option<String>,
    /// The code in the mail; with `challenge_id`.
    #[schema(example = "K7PM-2XQ9")]
    code: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct EmailChanged {
    user: User,
}

/// Change the email address with the token or the code of the mail to the new address. The new address counts as
/// verified. Sessions stay, and get access tokens with the new address when they are refreshed. The previous address
/// gets a mail with which the change can be undone for 72 hours. Needs no session.
#[utoipa::path(
    post, path = "/api/auth/email-change/confirm", tag = "account", operation_id = "confirmEmailChange",
    request_body = EmailChangeConfirmation,
    responses((status = 200, description = "The account with its new address", body = EmailChanged)),
)]
pub(crate) async fn confirm(
    client: Client,
    accounts: Data<Accounts>,
    ValidatedJson(body): ValidatedJson<EmailChangeConfirmation>,
) -> Result<web::Json<EmailChanged>, Problem> {
    let proof = parse_proof(body.token, body.challenge_id, body.code)?;
    let user = confirm_change(&accounts, proof, &client).await?;
    Ok(web::Json(EmailChanged { user }))
}

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct EmailChangeUndo {
    /// The token in the link, after `#`.
    #[serde(default)]
    #[validate(custom(function = "validate_token"))]
    #[schema(required, min_length = 1, max_length = 1024)]
    token: String,
}

fn validate_token(token: &str) -> Result<(), validator::ValidationError> {
    if token.is_empty() {
        return Err(FieldViolation::new("required", "is required").into());
    }
    Ok(())
}

#[derive(Serialize, ToSchema)]
pub(crate) struct EmailChangeUndone {
    success: bool,
}

/// Undo a change of the email address, with the token of the mail to the previous address. The account gets this
/// address back, every session ends, and the password is removed; a mail follows with which a new password is chosen.
/// Later changes of the address are undone as well. Needs no session.
#[utoipa::path(
    post, path = "/api/auth/email-change/undo", tag = "account", operation_id = "undoEmailChange",
    request_body = EmailChangeUndo,
    responses((status = 200, description = "The account has its previous address", body = EmailChangeUndone)),
)]
pub(crate) async fn undo(
    client: Client,
    accounts: Data<Accounts>,
    ValidatedJson(body): ValidatedJson<EmailChangeUndo>,
) -> Result<web::Json<EmailChangeUndone>, Problem> {
    undo_change(&accounts, &body.token, &client).await?;
    Ok(web::Json(EmailChangeUndone { success: true }))
}
