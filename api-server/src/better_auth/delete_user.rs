//! Handles `POST /api/auth/delete-user` and `GET /api/auth/delete-user/callback`. Deletes users only if
//! `BETTER_AUTH_DELETE_USER` is true.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use auth_core::mail_token::{MailPurpose, MailTokens};
use serde::Serialize;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::identity::{self, Identity, SignedInUser};
use super::password::{confirm_password, require_credential_account};
use super::redirect::redirect;
use super::respond::ApiResult;
use super::sign_up_email::parse_password_attempt;
use super::{callback, cookies};
use crate::accounts::delete::{DeletionConfirmation, DeletionRequest, delete, request_mail};
use crate::accounts::mail_proof::{self, MailProof};
use crate::http::language::AcceptedLanguage;
use crate::mail::kind::MailKind;
use crate::mail::link::link;
use crate::problem::{Code, Problem};

#[derive(Serialize)]
struct DeleteUserBody {
    success: bool,
    message: &'static str,
}

impl DeleteUserBody {
    const fn new(message: &'static str) -> Self {
        Self {
            success: true,
            message,
        }
    }
}

/// Deletes the signed-in user. Also needs the token of a mail to the user, the password, or a login within the last
/// day. Without any of them, queues the mail with the token.
pub(crate) async fn delete_user(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    fields.optional_text("callbackURL");
    let is_filled = |text: &&str| !text.is_empty();
    let password = fields.optional_text("password").filter(is_filled);
    let token = fields.optional_text("token").filter(is_filled);
    fields.finish()?;
    let signed_in_user = request.signed_in_user().await?;
    if !request.context.may_delete_user {
        return Err(ApiError::not_found());
    }
    let Some(confirmation) = confirmation(&request, &signed_in_user, password, token).await? else {
        return request_confirmation(&request, &signed_in_user).await;
    };
    let accounts = &request.context.accounts;
    let result = delete(accounts, signed_in_user.user_id(), confirmation).await;
    result.map_err(token_error)?;
    let response = HttpResponse::Ok().json(DeleteUserBody::new("User deleted"));
    Ok(request.clear_cookies(response))
}

/// Returns the confirmation of the deletion; `None` if the user must confirm it by mail first. As in Better Auth, a
/// password is checked even if the request has a token.
async fn confirmation(
    request: &ApiRequest,
    signed_in_user: &SignedInUser,
    password: Option<&str>,
    token: Option<&str>,
) -> Result<Option<DeletionConfirmation>, ApiError> {
    let mut authenticated = None;
    if let Some(password) = password {
        let parsed_attempt = parse_password_attempt(password)?;
        require_credential_account(request, signed_in_user).await?;
        let attempt = parsed_attempt.ok_or_else(ApiError::invalid_password)?;
        authenticated = Some(confirm_password(request, signed_in_user, attempt).await?);
    }
    if let Some(token) = token {
        return verify_token(request, signed_in_user, token).await.map(Some);
    }
    if let Some(authenticated) = authenticated {
        return Ok(Some(DeletionConfirmation::Password(authenticated)));
    }
    let now = request.context.sessions.now().into();
    let is_recent = signed_in_user.has_recent_login(now);
    Ok(is_recent.then(|| DeletionConfirmation::RecentLogin(signed_in_user.session.id.clone())))
}

/// Verifies the token of a mail. A token for another user is rejected before it is used, so it stays valid for its
/// owner.
async fn verify_token(
    request: &ApiRequest,
    signed_in_user: &SignedInUser,
    token: &str,
) -> Result<DeletionConfirmation, ApiError> {
    let (kind, proof) = (
        MailKind::AccountDeletion,
        MailProof::Token(token.to_owned()),
    );
    let result = mail_proof::verify(&request.context.accounts, kind, proof, &request.client).await;
    let key_change = result.map_err(token_error)?;
    if key_change.user_id != signed_in_user.user.id {
        return Err(ApiError::invalid_token(StatusCode::NOT_FOUND));
    }
    Ok(DeletionConfirmation::Mail(key_change))
}

fn token_error(problem: Problem) -> ApiError {
    match problem.code() {
        Code::InvalidOrExpiredToken => ApiError::invalid_token(StatusCode::NOT_FOUND),
        _ => problem.into(),
    }
}

async fn request_confirmation(request: &ApiRequest, signed_in_user: &SignedInUser) -> ApiResult {
    let deletion = DeletionRequest {
        user_id: signed_in_user.user_id(),
        email: signed_in_user.user.email.clone(),
        callback_url: callback::from_body(request),
        language: AcceptedLanguage::of(&request.http).0,
    };
    request_mail(&request.context.accounts, deletion, &request.client).await?;
    let body = DeleteUserBody::new("Verification email sent");
    request.respond(signed_in_user, body)
}

/// Redirects a request with a token for a deletion to a page that asks the user first, because programs that scan mails
/// open links too. Rejects other tokens.
pub(crate) async fn callback(request: ApiRequest) -> ApiResult {
    let mut fields = request.query_fields();
    let token = fields.text("token");
    fields.finish()?;
    let callback_url = callback::from_query(&request)?;
    let status = StatusCode::NOT_FOUND;
    if !request.context.may_delete_user {
        return Err(ApiError::new(status, "NOT_FOUND", "Not found"));
    }
    let is_for_deletion = MailTokens::parse(token)
        .is_ok_and(|parsed_token| parsed_token.purpose() == MailPurpose::AccountDeletion);
    let page = link(
        MailKind::AccountDeletion,
        "",
        callback_url.as_deref(),
        token,
    );
    if let Some(page) = page.filter(|_| is_for_deletion) {
        return Ok(redirect(&page));
    }
    match identity::find(&request.http, &request.context, true).await? {
        Identity::SignedIn(_) => Err(ApiError::invalid_token(status)),
        identity => {
            let (code, message) = ("FAILED_TO_GET_USER_INFO", "Failed to get user info");
            let error = ApiError::new(status, code, message);
            if matches!(identity, Identity::NoLiveSession) {
                let removal_cookies = cookies::removal_cookies(&request.http, &request.context);
                return Err(error.with_cookies(removal_cookies));
            }
            Err(error)
        }
    }
}
