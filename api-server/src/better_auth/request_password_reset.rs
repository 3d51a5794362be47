//! Handles `POST /api/auth/request-password-reset`.

use actix_web::HttpResponse;
use serde::Serialize;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::callback;
use super::fields::is_zod_email;
use super::respond::ApiResult;
use crate::accounts::mail_request::queue_mail;
use crate::http::language::AcceptedLanguage;
use crate::mail::kind::MailKind;
use crate::mail::outbox::NewMail;
use crate::users::email::LoginEmail;

#[derive(Serialize)]
struct ResetRequestedBody {
    status: bool,
    message: &'static str,
}

const REQUESTED: ResetRequestedBody = ResetRequestedBody {
    status: true,
    message: "If this email exists in our system, check your email for the reset link",
};

/// Queues a mail with a link to this server's page, which sets the password and then leads to `redirectTo`. The
/// response is the same for every address.
pub(crate) async fn request_password_reset(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    let email_text = fields.email("email");
    fields.optional_text("redirectTo");
    let parsed_email = LoginEmail::parse(email_text);
    if parsed_email.is_err() && is_zod_email(email_text) {
        fields.add_issue("email", "Invalid email address");
    }
    fields.finish()?;
    let email = parsed_email.map_err(|_reported| ApiError::invalid_email_or_password())?;
    let (kind, now) = (MailKind::PasswordReset, request.context.sessions.now());
    let mail = NewMail {
        language: AcceptedLanguage::of(&request.http).0,
        callback_url: callback::redirect_target_from_body(&request),
        network: request.client.network,
        ..NewMail::new(kind, email.email().as_str(), now)
    };
    queue_mail(&request.context.accounts, mail).await?;
    Ok(HttpResponse::Ok().json(REQUESTED))
}
