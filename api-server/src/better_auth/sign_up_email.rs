//! Handles `POST /api/auth/sign-up/email`.

use actix_web::HttpResponse;
use auth_core::password::{Password, PasswordAttempt};
use serde::Serialize;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::fields::Fields;
use super::format::{UserBody, session_token};
use super::respond::{ApiResult, append_cookies};
use super::{callback, cookies, identity, origin};
use crate::accounts::login::LoginContext;
use crate::accounts::register::{NewAccount, Registration, create};
use crate::db::Timestamp;
use crate::http::language::AcceptedLanguage;
use crate::users::email::Email;
use crate::users::password_policy::{ChosenPassword, PasswordPolicy};
use crate::users::user::{MAX_IMAGE_CHARS, MAX_NAME_CHARS};

/// The shortest password, in UTF-16 code units, as JavaScript counts.
const MIN_PASSWORD_UTF16_UNITS: usize = 8;
/// The longest password, in UTF-16 code units.
const MAX_PASSWORD_UTF16_UNITS: usize = 128;

#[derive(Serialize)]
struct SignUpBody {
    /// `None` if the email address must be verified before the first sign-in.
    token: Option<String>,
    user: UserBody,
}

/// Creates an account and signs its user in. If the email address must be verified first, the response has a user
/// but no session, and is the same for an address that already has an account.
pub(crate) async fn sign_up(request: ApiRequest) -> ApiResult {
    let mut fields = request.fields()?;
    let (email_text, name) = (fields.email("email"), fields.text("name"));
    let password = fields.nonempty_text("password");
    let image = fields.optional_text("image");
    fields.optional_text("callbackURL");
    let is_remembered = fields.optional_bool("rememberMe") != Some(false);
    let email = parse_email(&mut fields, "email", email_text);
    fields.check_text("name", name, MAX_NAME_CHARS);
    fields.check_text("image", image.unwrap_or_default(), MAX_IMAGE_CHARS);
    fields.finish()?;
    origin::require_trusted_login(&request)?;
    let email = email.ok_or_else(ApiError::invalid_email_or_password)?;
    let password = new_password(&request.context.accounts.passwords.policy, password)?;
    let account = NewAccount {
        email,
        name: Some(name.to_owned()),
        image: image.map(ToOwned::to_owned),
        language: AcceptedLanguage::of(&request.http).0,
        callback_url: callback::from_body(&request),
    };
    let context = login_context(&request, is_remembered);
    let grant = match create(&request.context.accounts, account, password, context).await? {
        Registration::LoggedIn(grant) => grant,
        Registration::Unverified(registration) => {
            let user = registration.user.into();
            return Ok(HttpResponse::Ok().json(SignUpBody { token: None, user }));
        }
    };
    let session_id = grant.session_id.clone();
    let remember_until = is_remembered.then_some(grant.expires_at);
    let body = SignUpBody {
        token: Some(session_token(&request.context, &session_id)?),
        user: grant.user.into(),
    };
    let mut response = HttpResponse::Ok().json(body);
    set_new_session_cookie(&request, &mut response, &session_id, remember_until)?;
    Ok(response)
}

/// Parses an email address. If the text is invalid, adds an issue unless [`Fields::email`] has already added the issue.
pub(super) fn parse_email(fields: &mut Fields<'_>, name: &str, text: &str) -> Option<Email> {
    let email = Email::parse(text);
    if email.is_err() && super::fields::is_zod_email(text) {
        fields.add_issue(name, "Invalid email address");
    }
    email.ok()
}

/// Describes the session that a sign-in or a sign-up begins, and the session whose cookie the new session replaces. The
/// login ends the replaced session. This is safe, because [`ApiRequest::new`] rejects a request with cookies from an
/// untrusted origin.
pub(super) fn login_context(request: &ApiRequest, is_remembered: bool) -> LoginContext {
    let replaced_id = cookies::replaced_session_id(&request.http, &request.context);
    LoginContext {
        client: request.client.clone(),
        lifetime: identity::session_lifetime(&request.context, is_remembered),
        replaced_ids: Vec::from_iter(replaced_id),
    }
}

/// Sets the cookie of a new session, and removes an earlier login's flag `dont_remember` if this session is remembered.
pub(super) fn set_new_session_cookie(
    request: &ApiRequest,
    response: &mut HttpResponse,
    session_id: &str,
    remember_until: Option<Timestamp>,
) -> Result<(), ApiError> {
    request.set_session_cookie(response, session_id, remember_until)?;
    if remember_until.is_some() {
        let removal_cookies =
            cookies::dont_remember_removal_cookies(&request.http, &request.context);
        append_cookies(response, removal_cookies);
    }
    Ok(())
}

/// Checks a new password against the rules of Better Auth, of `auth-core` and of the password policy.
pub(super) fn new_password(
    policy: &PasswordPolicy,
    text: &str,
) -> Result<ChosenPassword, ApiError> {
    if utf16_unit_count(text) < MIN_PASSWORD_UTF16_UNITS {
        return Err(ApiError::password_too_short());
    }
    require_short_enough(text)?;
    // The length may still be invalid, because `Password` counts code points after NFKC, not UTF-16 code units.
    let password = Password::new(text).map_err(|error| {
        if Password::new("short").is_err_and(|too_short_error| too_short_error == error) {
            ApiError::password_too_short()
        } else {
            ApiError::password_too_long()
        }
    })?;
    let result = policy.accept(password);
    result.map_err(|_common| ApiError::password_compromised())
}

/// Parses a password for comparison. Fails if the password is too long. Returns `None` if the password is empty.
pub(super) fn parse_password_attempt(text: &str) -> Result<Option<PasswordAttempt>, ApiError> {
    require_short_enough(text)?;
    Ok(PasswordAttempt::new(text).ok())
}

fn require_short_enough(text: &str) -> Result<(), ApiError> {
    if utf16_unit_count(text) > MAX_PASSWORD_UTF16_UNITS {
        return Err(ApiError::password_too_long());
    }
    Ok(())
}

fn utf16_unit_count(text: &str) -> usize {
    text.encode_utf16().count()
}
