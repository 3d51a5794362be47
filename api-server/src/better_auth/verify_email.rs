//! Handles `GET /api/auth/verify-email`. This server sends no such mail, so no token is valid.

use actix_web::http::StatusCode;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::callback;
use super::redirect::{redirect, with_error};
use super::respond::ApiResult;

pub(crate) async fn verify_email(request: ApiRequest) -> ApiResult {
    let mut fields = request.query_fields();
    fields.text("token");
    fields.optional_text("callbackURL");
    fields.finish()?;
    match callback::from_query(&request)? {
        Some(callback_url) => Ok(redirect(&with_error(&callback_url, "INVALID_TOKEN"))),
        None => Err(ApiError::invalid_token(StatusCode::UNAUTHORIZED)),
    }
}
