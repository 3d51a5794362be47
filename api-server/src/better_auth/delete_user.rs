//! Handles `POST /api/auth/delete-user` and `GET /api/auth/delete-user/callback`. Deletes users only if
//! `BETTER_AUTH_DELETE_USER` is true.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::identity::{self, Identity};
use super::password::{confirm, require_credential_account};
use super::respond::ApiResult;
use super::sign_up_email::parse_password_attempt;
use super::{callback, cookies};
use crate::accounts::delete::delete;

#[derive(Serialize)]
struct DeleteUserBody {
    success: bool,
    message: &'static str,
}

/// Deletes the user. Needs the password, or a session that began within the last day.
pub(crate) async fn delete_user(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    fields.optional_text("callbackURL");
    let password = fields
        .optional_text("password")
        .filter(|text| !text.is_empty());
    let token = fields
        .optional_text("token")
        .filter(|text| !text.is_empty());
    fields.finish()?;
    let signed_in_user = request.signed_in_user().await?;
    if !request.context.may_delete_user {
        return Err(ApiError::not_found());
    }
    let mut authenticated = None;
    if let Some(password) = password {
        let parsed_attempt = parse_password_attempt(password)?;
        require_credential_account(&request, &signed_in_user).await?;
        let attempt = parsed_attempt.ok_or_else(ApiError::invalid_password)?;
        authenticated = Some(confirm(&request, &signed_in_user, attempt).await?);
    }
    if token.is_some() {
        // Better Auth sends such tokens by mail. This server sends no such mail, so no token is valid.
        return Err(ApiError::invalid_token(StatusCode::NOT_FOUND));
    }
    let now = request.context.sessions.now().into();
    if authenticated.is_none() && !signed_in_user.has_recent_login(now) {
        let message = "Session expired. Re-authenticate to perform this action.";
        let status = StatusCode::BAD_REQUEST;
        return Err(ApiError::new(status, "SESSION_EXPIRED", message));
    }
    let accounts = &request.context.accounts;
    delete(accounts, signed_in_user.user_id(), authenticated).await?;
    let response = HttpResponse::Ok().json(DeleteUserBody {
        success: true,
        message: "User deleted",
    });
    Ok(request.clear_cookies(response))
}

/// Handles the link that Better Auth mails to confirm a deletion. Rejects every token, because this server sends no
/// mail.
pub(crate) async fn callback(request: ApiRequest) -> ApiResult {
    let mut fields = request.query_fields();
    fields.text("token");
    fields.finish()?;
    callback::from_query(&request)?;
    let status = StatusCode::NOT_FOUND;
    if !request.context.may_delete_user {
        return Err(ApiError::new(status, "NOT_FOUND", "Not found"));
    }
    match identity::find(&request.http, &request.context, true).await? {
        Identity::SignedIn(_) => Err(ApiError::invalid_token(status)),
        identity => {
            let (code, message) = ("FAILED_TO_GET_USER_INFO", "Failed to get user info");
            let error = ApiError::new(status, code, message);
            if matches!(identity, Identity::SessionExpired) {
                let removal_cookies = cookies::removal_cookies(&request.http, &request.context);
                return Err(error.with_cookies(removal_cookies));
            }
            Err(error)
        }
    }
}
