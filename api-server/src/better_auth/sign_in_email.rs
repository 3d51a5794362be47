//! Handles `POST /api/auth/sign-in/email`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, LOCATION};
use serde::Serialize;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::callback;
use super::fields::is_zod_email;
use super::format::{UserBody, session_token};
use super::origin;
use super::respond::ApiResult;
use super::sign_up_email::{login_context, parse_password_attempt, set_new_session_cookie};
use crate::accounts::login::log_in;
use crate::problem::Problem;
use crate::users::email::LoginEmail;

#[derive(Serialize)]
struct SignInBody {
    redirect: bool,
    token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    user: UserBody,
}

/// Begins a new session, and ends the session whose cookie the new cookie replaces, if any.
pub(crate) async fn sign_in(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    let (email_text, password) = (fields.text("email"), fields.text("password"));
    fields.optional_text("callbackURL");
    let is_remembered = fields.optional_bool("rememberMe") != Some(false);
    fields.finish()?;
    origin::require_trusted_login(&request)?;
    if !is_zod_email(email_text) {
        let error = ApiError::new(StatusCode::BAD_REQUEST, "INVALID_EMAIL", "Invalid email");
        return Err(error);
    }
    let url = callback::from_body(&request);
    let header_value = url.as_deref().map(HeaderValue::try_from).transpose();
    let location = header_value.map_err(Problem::internal)?;
    let parsed_attempt = parse_password_attempt(password)?;
    let (Ok(email), Some(attempt)) = (LoginEmail::parse(email_text), parsed_attempt) else {
        // No account has such an email address, and no password is empty.
        return Err(ApiError::invalid_email_or_password());
    };
    let context = login_context(&request, is_remembered);
    let grant = log_in(&request.context.accounts, email, attempt, context).await?;
    let session_id = grant.session_id;
    let remember_until = is_remembered.then_some(grant.expires_at);
    let mut response = HttpResponse::Ok().json(SignInBody {
        redirect: url.is_some(),
        token: session_token(&request.context, &session_id)?,
        url,
        user: grant.user.into(),
    });
    if let Some(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    set_new_session_cookie(&request, &mut response, &session_id, remember_until)?;
    Ok(response)
}
