//! `POST /api/auth/reset-password` and `GET /api/auth/reset-password/{token}`: no mail is sent, so no token is valid.

use actix_web::http::StatusCode;
use url::Url;

use super::api_error::ApiError;
use super::call::Call;
use super::callback;
use super::redirect::redirect;
use super::respond::ApiResult;
use super::sign_up_email::new_password;
use crate::problem::Problem;

const INVALID_TOKEN: &str = "INVALID_TOKEN";

/// Checks the password first, as Better Auth does.
pub(crate) async fn reset_password(call: Call) -> ApiResult {
    let mut fields = call.fields()?;
    let password = fields.text("newPassword");
    let in_body = fields.optional_text("token");
    fields.finish()?;
    let in_query = call.query.get("token").and_then(|token| token.as_str());
    let token = in_body.filter(|it| !it.is_empty()).or(in_query);
    if token.is_some_and(|token| !token.is_empty()) {
        new_password(&call.context.accounts.passwords.policy, password)?;
    }
    Err(ApiError::invalid_token(StatusCode::BAD_REQUEST))
}

/// Redirects to the frontend with the error.
pub(crate) async fn follow_link(call: Call) -> ApiResult {
    let mut fields = call.query_fields();
    fields.text("callbackURL");
    fields.finish()?;
    let given = callback::from_query(&call)?;
    let callback = given.as_deref().unwrap_or("/api/auth/error");
    let origin = call.context.policy.trusted_origins.last();
    let own = origin.map_or("", |origin| origin.as_str());
    let base = Url::parse(own).and_then(|base| base.join(callback));
    let mut url = base.map_err(Problem::internal)?;
    url.query_pairs_mut().append_pair("error", INVALID_TOKEN);
    Ok(redirect(url.as_str()))
}
