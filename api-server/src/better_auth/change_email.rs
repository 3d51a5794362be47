//! Rejects `POST /api/auth/change-email`, like a Better Auth server on which the change of email addresses is disabled.

use actix_web::http::StatusCode;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::respond::ApiResult;

pub(crate) async fn change_email(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    fields.email("newEmail");
    fields.optional_text("callbackURL");
    fields.finish()?;
    request.signed_in_user().await?;
    let (code, message) = ("CHANGE_EMAIL_DISABLED", "Change email is disabled");
    Err(ApiError::new(StatusCode::BAD_REQUEST, code, message))
}
