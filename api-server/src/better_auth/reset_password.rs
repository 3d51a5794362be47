//! Handles `POST /api/auth/reset-password` and `GET /api/auth/reset-password/{token}`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use auth_core::mail_token::MailTokens;
use url::Url;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::callback;
use super::format::DONE;
use super::redirect::redirect;
use super::respond::ApiResult;
use super::sign_up_email::new_password;
use crate::accounts::mail_proof::MailProof;
use crate::accounts::password_reset::confirm_without_session;
use crate::mail::kind::MailKind;
use crate::mail::link::link;
use crate::problem::Problem;

const INVALID_TOKEN: &str = "INVALID_TOKEN";

/// Sets the password with the token of a mail, and ends every session of the user. As in Better Auth, checks the new
/// password before the token, and begins no session.
pub(crate) async fn reset_password(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    let password = fields.text("newPassword");
    let body_token = fields.optional_text("token");
    fields.finish()?;
    let query_token = request.query.get("token").and_then(|token| token.as_str());
    let token = body_token.filter(|token| !token.is_empty()).or(query_token);
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Err(ApiError::invalid_token(StatusCode::BAD_REQUEST));
    };
    let accounts = &request.context.accounts;
    let password = new_password(&accounts.passwords.policy, password)?;
    let proof = MailProof::Token(token.to_owned());
    confirm_without_session(accounts, proof, password, &request.client).await?;
    Ok(HttpResponse::Ok().json(DONE))
}

/// Redirects to the page of this server that sets a new password, with the token in the fragment. The token stays
/// valid. The links in mails lead to that page directly. For a text that is no token, redirects to `callbackURL`, or to
/// `/api/auth/error` if the field is empty, with the error in the query.
pub(crate) async fn follow_link(request: ApiRequest) -> ApiResult {
    let mut fields = request.query_fields();
    fields.text("callbackURL");
    fields.finish()?;
    let callback_url = callback::from_query(&request)?;
    // The last trusted origin is this server's own origin, `PUBLIC_URL`.
    let last_origin = request.context.policy.trusted_origins.last();
    let server_origin = last_origin.map_or("", |origin| origin.as_str());
    let token = request.http.match_info().query("token");
    if MailTokens::parse(token).is_ok() {
        let kind = MailKind::PasswordReset;
        let page = link(kind, server_origin, callback_url.as_deref(), token);
        return Ok(redirect(&page.unwrap_or_default()));
    }
    let target = callback_url.as_deref().unwrap_or("/api/auth/error");
    let parsed_url = Url::parse(server_origin).and_then(|base| base.join(target));
    let mut url = parsed_url.map_err(Problem::internal)?;
    url.query_pairs_mut().append_pair("error", INVALID_TOKEN);
    Ok(redirect(url.as_str()))
}
