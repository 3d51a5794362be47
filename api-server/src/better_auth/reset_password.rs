//! Handles `POST /api/auth/reset-password` and `GET /api/auth/reset-password/{token}`. No token is valid, because the
//! mails of this server lead to its own page.

use actix_web::http::StatusCode;
use url::Url;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::callback;
use super::redirect::redirect;
use super::respond::ApiResult;
use super::sign_up_email::new_password;
use crate::problem::Problem;

const INVALID_TOKEN: &str = "INVALID_TOKEN";

/// Rejects every token. As in Better Auth, first checks the new password if the request has a token.
pub(crate) async fn reset_password(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    let password = fields.text("newPassword");
    let body_token = fields.optional_text("token");
    fields.finish()?;
    let query_token = request.query.get("token").and_then(|token| token.as_str());
    let token = body_token.filter(|token| !token.is_empty()).or(query_token);
    if token.is_some_and(|token| !token.is_empty()) {
        new_password(&request.context.accounts.passwords.policy, password)?;
    }
    Err(ApiError::invalid_token(StatusCode::BAD_REQUEST))
}

/// Redirects to `callbackURL`, or to `/api/auth/error` if the field is empty, with the error in the query.
pub(crate) async fn follow_link(request: ApiRequest) -> ApiResult {
    let mut fields = request.query_fields();
    fields.text("callbackURL");
    fields.finish()?;
    let callback_url = callback::from_query(&request)?;
    let target = callback_url.as_deref().unwrap_or("/api/auth/error");
    // The last trusted origin is this server's own origin, `PUBLIC_URL`.
    let last_origin = request.context.policy.trusted_origins.last();
    let server_origin = last_origin.map_or("", |origin| origin.as_str());
    let parsed_url = Url::parse(server_origin).and_then(|base| base.join(target));
    let mut url = parsed_url.map_err(Problem::internal)?;
    url.query_pairs_mut().append_pair("error", INVALID_TOKEN);
    Ok(redirect(url.as_str()))
}
