//! Handles `GET /api/auth/verify-email`. The request itself verifies nothing, because programs that scan mails open
//! links. A browser is sent to this server's page, which asks the user first.

use std::time::UNIX_EPOCH;

use actix_web::http::StatusCode;
use actix_web::http::header::ACCEPT;
use auth_core::mail_token::{MailPurpose, MailTokens, UnverifiedMailToken};

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::callback;
use super::redirect::{redirect, with_error};
use super::respond::ApiResult;
use crate::mail::kind::MailKind;
use crate::mail::link::link;
use crate::problem::Problem;

/// Redirects a browser with a token of a mail to the page that verifies the address. Other clients get an error,
/// because they would take the page for a success. If the token is malformed, of another kind or expired, the error is
/// in a redirect to `callbackURL`, or in the response if there is no such URL.
pub(crate) async fn verify_email(request: ApiRequest) -> ApiResult {
    let mut fields = request.query_fields();
    let token_text = fields.text("token");
    fields.optional_text("callbackURL");
    fields.finish()?;
    let callback_url = callback::from_query(&request)?;
    let token = MailTokens::parse(token_text).ok();
    let is_verification =
        |token: &UnverifiedMailToken| token.purpose() == MailPurpose::EmailVerification;
    let error = match token.filter(is_verification) {
        None => ("INVALID_TOKEN", "Invalid token"),
        Some(token) if has_expired(&request, &token) => ("TOKEN_EXPIRED", "Token expired"),
        Some(_) if accepts_html(&request) => {
            let callback_url = callback_url.as_deref();
            return redirect_to_page(&request, token_text, callback_url);
        }
        Some(_) => return Err(confirmation_required()),
    };
    match callback_url {
        Some(callback_url) => Ok(redirect(&with_error(&callback_url, error.0))),
        None => Err(ApiError::new(StatusCode::UNAUTHORIZED, error.0, error.1)),
    }
}

fn has_expired(request: &ApiRequest, token: &UnverifiedMailToken) -> bool {
    let since_epoch = request.context.sessions.now().duration_since(UNIX_EPOCH);
    since_epoch.unwrap_or_default().as_secs() >= token.expires_at()
}

/// Returns whether the client shows pages. Browsers say so when they follow a link; `fetch` does not.
fn accepts_html(request: &ApiRequest) -> bool {
    let mut values = request.headers().get_all(ACCEPT);
    values.any(|value| value.to_str().is_ok_and(|text| text.contains("text/html")))
}

fn redirect_to_page(request: &ApiRequest, token: &str, callback_url: Option<&str>) -> ApiResult {
    // The last trusted origin is this server's own origin, `PUBLIC_URL`.
    let last_origin = request.context.policy.trusted_origins.last();
    let server_origin = last_origin.map_or("", |origin| origin.as_str());
    let kind = MailKind::EmailVerification;
    let page = link(kind, server_origin, callback_url, token);
    let page = page.ok_or_else(|| Problem::internal("the kind of the mail has no page"))?;
    Ok(redirect(&page))
}

fn confirmation_required() -> ApiError {
    ApiError::new(
        StatusCode::FORBIDDEN,
        "CONFIRMATION_REQUIRED",
        "Open the link of the mail in a browser: the user confirms the address there",
    )
}
