//! Handles `POST /api/auth/email-verification` and `POST /api/auth/email-verification/confirm`.

use actix_web::web::{self, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::mail_proof::{MailRequested, parse_proof};
use crate::accounts::Accounts;
use crate::accounts::email_verification::{
    OwnershipEvidence, confirm as confirm_email, request_for_user,
};
use crate::accounts::mail_request;
use crate::better_auth::context::BetterAuthContext;
use crate::better_auth::identity::{self, Identity};
use crate::client::Client;
use crate::http::caller::Caller;
use crate::http::json::{OptionalValidatedJson, ValidatedJson};
use crate::http::language::AcceptedLanguage;
use crate::http::origin;
use crate::http::scope;
use crate::mail::kind::MailKind;
use crate::problem::violation::FieldViolation;
use crate::problem::{Code, Problem};
use crate::users::email::{self, LoginEmail};
use crate::users::id::UserId;
use crate::users::user::{self, User};

#[derive(Deserialize, Validate, ToSchema, Default)]
pub(crate) struct EmailVerificationRequest {
    /// Required without an access token. With an access token, the default is the address of the caller.
    #[validate(custom(function = "email::validate_login_email"))]
    #[schema(format = Email, max_length = 254, example = "ada@example.com")]
    email: Option<String>,
}

/// Request a mail with which a user verifies the address. The response is the same for every address, verified or not.
#[utoipa::path(
    post, path = "/api/auth/email-verification", tag = "account", operation_id = "requestEmailVerification",
    request_body = Option<EmailVerificationRequest>,
    responses((status = 202, description = "If an account has the address and has not verified it, a mail follows",
        body = MailRequested)),
)]
pub(crate) async fn request(
    request: HttpRequest,
    client: Client,
    AcceptedLanguage(language): AcceptedLanguage,
    accounts: Data<Accounts>,
    OptionalValidatedJson(body): OptionalValidatedJson<EmailVerificationRequest>,
) -> Result<HttpResponse, Problem> {
    let challenge = if let Some(email_text) = body.email {
        let email = LoginEmail::parse(&email_text).map_err(|violation| violation.at("email"))?;
        let kind = MailKind::EmailVerification;
        mail_request::request(&accounts, kind, &email, language, &client).await?
    } else {
        let caller =
            Caller::<scope::AccountWrite>::of(&request).map_err(|problem| {
                match problem.code() {
                    Code::Unauthorized => EMAIL_OR_TOKEN_REQUIRED.at("email"),
                    _ => problem,
                }
            })?;
        request_for_user(&accounts, caller.user_id, None, language, &client).await?
    };
    Ok(HttpResponse::Accepted().json(MailRequested::from(challenge)))
}

const EMAIL_OR_TOKEN_REQUIRED: FieldViolation =
    FieldViolation::new("required", "is required without an access token");

#[derive(Deserialize, Validate, ToSchema)]
pub(crate) struct EmailVerificationConfirmation {
    /// The token in the link, after `#`. Without it, `challenge_id` and `code` are required.
    #[schema(max_length = 1024)]
    token: Option<String>,
    /// From the response to the request for the mail, or to the registration; with `code`.
    challenge_id: Option<String>,
    /// The code in the mail; with `challenge_id`.
    #[schema(example = "K7PM-2XQ9")]
    code: Option<String>,
    /// The password of the account. Required without a session of the account.
    #[validate(custom(function = "user::validate_attempted_password"))]
    #[schema(format = Password, min_length = 1, max_length = 128)]
    password: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct EmailVerified {
    user: User,
}

/// Verify the address of an account with the token or the code of a mail. Also needs a session of the account or its
/// password; without, the response is 403 `PASSWORD_REQUIRED`, and the token or the code stays valid. Begins no
/// session.
#[utoipa::path(
    post, path = "/api/auth/email-verification/confirm", tag = "account",
    operation_id = "confirmEmailVerification",
    request_body = EmailVerificationConfirmation,
    responses((status = 200, description = "The user, with the verified address", body = EmailVerified)),
)]
pub(crate) async fn confirm(
    request: HttpRequest,
    client: Client,
    accounts: Data<Accounts>,
    better_auth: Data<BetterAuthContext>,
    ValidatedJson(body): ValidatedJson<EmailVerificationConfirmation>,
) -> Result<web::Json<EmailVerified>, Problem> {
    let proof = parse_proof(body.token, body.challenge_id, body.code)?;
    let password = body.password.as_deref().map(user::parse_attempt);
    let password = password
        .transpose()
        .map_err(|violation| violation.at("password"))?;
    let caller_id = match find_caller_id(&request, &better_auth).await {
        // The password suffices, for example in a browser whose access token has expired.
        Err(_invalid_credentials) if password.is_some() => None,
        result => result?,
    };
    let ownership = OwnershipEvidence {
        caller_id,
        password,
    };
    let user = confirm_email(&accounts, proof, ownership, &client).await?;
    Ok(web::Json(EmailVerified { user }))
}

/// Returns the user of the session in the request, by the access token or by a cookie of Better Auth's API; `None`
/// without a live session. Fails if the access token is not valid or lacks the scope `account:write`. Accepts cookies
/// only from a trusted origin.
async fn find_caller_id(
    request: &HttpRequest,
    context: &BetterAuthContext,
) -> Result<Option<UserId>, Problem> {
    match Caller::<scope::AccountWrite>::of(request) {
        Ok(caller) => Ok(Some(caller.user_id)),
        Err(problem) if problem.code() == Code::Unauthorized => {
            if origin::require_trusted(request, &context.policy).is_err() {
                return Ok(None);
            }
            Ok(match identity::find(request, context, false).await? {
                Identity::SignedIn(signed_in_user) => Some(UserId::stored(signed_in_user.user.id)),
                Identity::Anonymous | Identity::NoLiveSession => None,
            })
        }
        Err(problem) => Err(problem),
    }
}
