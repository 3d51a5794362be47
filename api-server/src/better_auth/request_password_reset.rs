//! Rejects `POST /api/auth/request-password-reset`, like a Better Auth server that cannot send mail.

use actix_web::http::StatusCode;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::respond::ApiResult;

pub(crate) async fn request_password_reset(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    fields.email("email");
    fields.optional_text("redirectTo");
    fields.finish()?;
    let (code, message) = ("RESET_PASSWORD_DISABLED", "Reset password isn't enabled");
    Err(ApiError::new(StatusCode::BAD_REQUEST, code, message))
}
