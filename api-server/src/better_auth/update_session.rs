//! Handles `POST /api/auth/update-session`.

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::respond::ApiResult;

/// Rejects every change, because a session has no fields that a client may change.
pub(crate) async fn update_session(request: ApiRequest) -> ApiResult {
    request.record_fields()?.finish()?;
    request.signed_in_user().await?;
    Err(ApiError::no_fields_to_update())
}
