//! Rejects `POST /api/auth/send-verification-email`, like a Better Auth server that cannot send mail.

use actix_web::http::StatusCode;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::respond::ApiResult;

pub(crate) async fn send_verification_email(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    fields.email("email");
    fields.optional_text("callbackURL");
    fields.finish()?;
    Err(ApiError::new(
        StatusCode::BAD_REQUEST,
        "VERIFICATION_EMAIL_NOT_ENABLED",
        "Verification email isn't enabled",
    ))
}
