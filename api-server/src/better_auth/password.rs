//! Checks whether a signed-in user has a password, and verifies the password.

use auth_core::password::PasswordAttempt;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::identity::SignedInUser;
use crate::problem::Problem;
use crate::users::passwords::AuthenticatedUser;
use crate::users::store::has_password;

/// Returns whether the user has a password. An import may leave it out, and undoing a change of the email address
/// removes it.
pub(super) async fn has_credential_account(
    request: &ApiRequest,
    signed_in_user: &SignedInUser,
) -> Result<bool, Problem> {
    let id = signed_in_user.user_id();
    let db = request.context.sessions.db.of_account(id.as_str());
    Ok(db
        .read(move |connection| has_password(connection, &id))
        .await?)
}

/// Fails with `CREDENTIAL_ACCOUNT_NOT_FOUND` if the user has no password.
pub(super) async fn require_credential_account(
    request: &ApiRequest,
    signed_in_user: &SignedInUser,
) -> Result<(), ApiError> {
    if has_credential_account(request, signed_in_user).await? {
        return Ok(());
    }
    Err(ApiError::no_credential_account())
}

/// Verifies the password of the signed-in user. A wrong password is counted as a failed login.
pub(super) async fn confirm_password(
    request: &ApiRequest,
    signed_in_user: &SignedInUser,
    attempt: PasswordAttempt,
) -> Result<AuthenticatedUser, Problem> {
    let id = signed_in_user.user_id();
    let session_id = &signed_in_user.session.id;
    request
        .context
        .accounts
        .passwords
        .confirm(&id, session_id, attempt, &request.client)
        .await
}
