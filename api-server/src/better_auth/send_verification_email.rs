//! Handles `POST /api/auth/send-verification-email`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::callback;
use super::format::DONE;
use super::identity::{self, Identity, SignedInUser};
use super::respond::ApiResult;
use crate::accounts::email_verification::request_for_user;
use crate::accounts::mail_request::queue_mail;
use crate::http::language::AcceptedLanguage;
use crate::mail::kind::MailKind;
use crate::mail::outbox::NewMail;
use crate::users::email::LoginEmail;

/// Queues a mail with a link that verifies the email address. Without a session, the response is the same for every
/// address. A signed-in user can request the mail only for the address of the account.
pub(crate) async fn send_verification_email(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    let email_text = fields.email("email");
    fields.optional_text("callbackURL");
    fields.finish()?;
    let email = LoginEmail::parse(email_text).ok();
    match identity::find(&request.http, &request.context, false).await? {
        Identity::SignedIn(signed_in_user) => {
            require_own_unverified_email(&signed_in_user, email.as_ref())?;
            queue_for_user(&request, &signed_in_user).await?;
        }
        Identity::Anonymous | Identity::NoLiveSession => {
            queue_verification_mail(&request, email).await?;
        }
    }
    Ok(HttpResponse::Ok().json(DONE))
}

fn require_own_unverified_email(
    signed_in_user: &SignedInUser,
    email: Option<&LoginEmail>,
) -> Result<(), ApiError> {
    let own_email = &signed_in_user.user.email;
    let is_own = |email: &LoginEmail| email.spellings().any(|spelling| spelling == own_email);
    let (status, verified) = (StatusCode::BAD_REQUEST, signed_in_user.user.email_verified);
    match email {
        Some(email) if !is_own(email) => {
            Err(ApiError::new(status, "EMAIL_MISMATCH", "Email mismatch"))
        }
        None => Err(ApiError::new(status, "EMAIL_MISMATCH", "Email mismatch")),
        Some(_) if verified => {
            let message = "Email is already verified";
            Err(ApiError::new(status, "EMAIL_ALREADY_VERIFIED", message))
        }
        Some(_) => Ok(()),
    }
}

async fn queue_for_user(
    request: &ApiRequest,
    signed_in_user: &SignedInUser,
) -> Result<(), ApiError> {
    let accounts = &request.context.accounts;
    let language = AcceptedLanguage::of(&request.http).0;
    let callback_url = callback::from_body(request);
    let user_id = signed_in_user.user_id();
    request_for_user(accounts, user_id, callback_url, language, &request.client).await?;
    Ok(())
}

async fn queue_verification_mail(
    request: &ApiRequest,
    email: Option<LoginEmail>,
) -> Result<(), ApiError> {
    // No account has an address that this server does not accept.
    let Some(email) = email else {
        return Ok(());
    };
    let accounts = &request.context.accounts;
    let (kind, now) = (MailKind::EmailVerification, accounts.sessions.now());
    let mail = NewMail {
        language: AcceptedLanguage::of(&request.http).0,
        callback_url: callback::from_body(request),
        network: request.client.network,
        ..NewMail::new(kind, email.email().as_str(), now)
    };
    queue_mail(accounts, mail).await?;
    Ok(())
}
