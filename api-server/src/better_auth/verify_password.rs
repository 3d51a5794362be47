//! Handles `POST /api/auth/verify-password`.

use auth_core::password::PasswordAttempt;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::format::DONE;
use super::password::confirm_password;
use super::respond::ApiResult;

/// Verifies the password of the signed-in user.
pub(crate) async fn verify_password(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    let password = fields.text("password");
    fields.finish()?;
    let signed_in_user = request.signed_in_user().await?;
    // Like Better Auth, responds to an empty or too long password in the same way as to a wrong password.
    let attempt = PasswordAttempt::new(password).map_err(|_length| ApiError::invalid_password())?;
    confirm_password(&request, &signed_in_user, attempt).await?;
    request.respond(&signed_in_user, DONE)
}
