//! `POST /api/auth/verify-password`

use auth_core::password::PasswordAttempt;

use super::api_error::ApiError;
use super::call::Call;
use super::format::DONE;
use super::password::confirm;
use super::respond::ApiResult;

/// Verifies the password of the signed-in user.
pub(crate) async fn verify_password(call: Call) -> ApiResult {
    let mut fields = call.fields()?;
    let password = fields.text("password");
    fields.finish()?;
    let signed_in = call.signed_in().await?;
    // At this address Better Auth responds to a password that is too long as to a wrong one.
    let attempt = PasswordAttempt::new(password).map_err(|_length| ApiError::invalid_password())?;
    confirm(&call, &signed_in, attempt).await?;
    call.respond(&signed_in, DONE)
}
