//! Handles `POST /api/auth/update-user`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde_json::Value;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::fields::Fields;
use super::format::DONE;
use super::respond::ApiResult;
use crate::accounts::profile::change;
use crate::users::user::{MAX_IMAGE_CHARS, MAX_NAME_CHARS};

/// Changes the name and the image. Rejects an email address, and ignores other fields.
pub(crate) async fn update_user(request: ApiRequest) -> ApiResult {
    let mut fields = request.record_fields()?;
    let name = fields.optional_text("name");
    let image = nullable_text(&mut fields, "image");
    fields.check_text("name", name.unwrap_or_default(), MAX_NAME_CHARS);
    let image_text = image.flatten().unwrap_or_default();
    fields.check_text("image", image_text, MAX_IMAGE_CHARS);
    let email = fields.get("email").cloned();
    fields.finish()?;
    let signed_in_user = request.signed_in_user().await?;
    if email.is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false)) && value != "")
    {
        let (code, message) = ("EMAIL_CAN_NOT_BE_UPDATED", "Email can not be updated");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, code, message));
    }
    if name.is_none() && image.is_none() {
        return Err(ApiError::no_fields_to_update());
    }
    let new_name = name.map(|name| Some(name.to_owned()));
    let new_image = image.map(|image| image.map(ToOwned::to_owned));
    let accounts = &request.context.accounts;
    change(
        accounts,
        signed_in_user.user_id(),
        new_name,
        new_image,
        None,
    )
    .await?;
    let mut response = HttpResponse::Ok().json(DONE);
    request.resend_session_cookie(&mut response, &signed_in_user)?;
    Ok(response)
}

/// Returns `None` for an absent field, and `Some(None)` for null. Adds an issue for a value that is not text.
#[expect(
    clippy::option_option,
    reason = "an absent field stays unchanged, null clears the field"
)]
fn nullable_text<'a>(fields: &mut Fields<'a>, name: &str) -> Option<Option<&'a str>> {
    match fields.get(name) {
        None => None,
        Some(Value::Null) => Some(None),
        Some(_) => Some(fields.optional_text(name)),
    }
}
