//! What needs mail: answered as Better Auth does where none can be sent.

use actix_web::http::StatusCode;
use url::Url;

use super::answer::Answer;
use super::call::Call;
use super::callback;
use super::refusal::Refusal;
use super::sign_up::new_password;
use super::small::{redirect, with_error};
use crate::problem::Problem;

const BAD: StatusCode = StatusCode::BAD_REQUEST;
const INVALID_TOKEN: &str = "INVALID_TOKEN";

/// `POST /api/auth/request-password-reset`
pub(super) async fn request_reset(call: Call) -> Answer {
    let mut fields = call.fields()?;
    fields.email("email");
    fields.optional_text("redirectTo");
    fields.finish()?;
    let (code, message) = ("RESET_PASSWORD_DISABLED", "Reset password isn't enabled");
    Err(Refusal::new(BAD, code, message))
}

/// `POST /api/auth/reset-password`: nobody was sent a token.
pub(super) async fn reset(call: Call) -> Answer {
    let mut fields = call.fields()?;
    let password = fields.text("newPassword");
    let in_body = fields.optional_text("token");
    fields.finish()?;
    let in_query = call.query.get(TOKEN).and_then(|token| token.as_str());
    let token = in_body.filter(|it| !it.is_empty()).or(in_query);
    if token.is_some_and(|token| !token.is_empty()) {
        new_password(&call.state.password_policy, password)?;
    }
    Err(Refusal::invalid_token(BAD))
}

const TOKEN: &str = "token";
const CALLBACK: &str = "callbackURL";

/// `GET /api/auth/reset-password/{token}`: back to the frontend, with the error.
pub(super) async fn reset_link(call: Call) -> Answer {
    let mut fields = call.query_fields();
    fields.text(CALLBACK);
    fields.finish()?;
    let given = callback::of_query(&call)?;
    let callback = given.as_deref().unwrap_or("/api/auth/error");
    let origin = call.state.origins.last();
    let own = origin.map_or("", |origin| origin.as_str());
    let base = Url::parse(own).and_then(|base| base.join(callback));
    let mut url = base.map_err(Problem::internal)?;
    url.query_pairs_mut().append_pair("error", INVALID_TOKEN);
    Ok(redirect(url.as_str()))
}

/// `POST /api/auth/send-verification-email`
pub(super) async fn send_verification(call: Call) -> Answer {
    let mut fields = call.fields()?;
    fields.email("email");
    fields.optional_text(CALLBACK);
    fields.finish()?;
    Err(Refusal::new(
        BAD,
        "VERIFICATION_EMAIL_NOT_ENABLED",
        "Verification email isn't enabled",
    ))
}

/// `GET /api/auth/verify-email`
pub(super) async fn verification_link(call: Call) -> Answer {
    let mut fields = call.query_fields();
    fields.text(TOKEN);
    fields.optional_text(CALLBACK);
    fields.finish()?;
    match callback::of_query(&call)? {
        Some(callback) => Ok(redirect(&with_error(&callback, INVALID_TOKEN))),
        None => Err(Refusal::invalid_token(StatusCode::UNAUTHORIZED)),
    }
}

/// `POST /api/auth/change-email`
pub(super) async fn change_email(call: Call) -> Answer {
    let mut fields = call.fields()?;
    fields.email("newEmail");
    fields.optional_text(CALLBACK);
    fields.finish()?;
    call.signed_in().await?;
    let (code, message) = ("CHANGE_EMAIL_DISABLED", "Change email is disabled");
    Err(Refusal::new(BAD, code, message))
}
