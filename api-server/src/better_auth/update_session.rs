//! `POST /api/auth/update-session`

use super::api_error::ApiError;
use super::call::Call;
use super::respond::ApiResult;

/// Rejects every change, because a session has no fields that a client may change.
pub(crate) async fn update_session(call: Call) -> ApiResult {
    call.record()?.finish()?;
    call.signed_in().await?;
    Err(ApiError::no_fields())
}
