//! Errors in the form of Better Auth. An error has a status, usually a message, and often a code.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER, SET_COOKIE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::DbError;
use crate::http::headers::X_RETRY_AFTER;
use crate::http::middleware::PreserveBody;
use crate::problem::{Code, Problem};

/// An error in the form that Better Auth's client reads.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    /// `None` for a response without a body.
    body: Option<BetterAuthError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The problem from which this error was made, for the log. `None` for an error that is not logged.
    cause: Option<Arc<Problem>>,
}

/// An error in the form of Better Auth.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BetterAuthError {
    #[schema(value_type = String, example = "Unauthorized")]
    message: Cow<'static, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "UNAUTHORIZED")]
    code: Option<&'static str>,
}

impl ApiError {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::with_optional_code(status, Some(code), message.into())
    }

    /// Creates an error with status 400 and without a code.
    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::with_optional_code(StatusCode::BAD_REQUEST, None, message.into())
    }

    fn with_optional_code(
        status: StatusCode,
        code: Option<&'static str>,
        message: Cow<'static, str>,
    ) -> Self {
        Self {
            status,
            body: Some(BetterAuthError { message, code }),
            headers: Vec::new(),
            cause: None,
        }
    }

    fn empty(status: StatusCode) -> Self {
        Self {
            status,
            body: None,
            headers: Vec::new(),
            cause: None,
        }
    }

    /// Creates an error with status 404 and without a body: the path does not exist, does not allow the method, or is
    /// disabled by a setting.
    pub(super) fn not_found() -> Self {
        Self::empty(StatusCode::NOT_FOUND)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Unauthorized")
    }

    pub(super) fn invalid_email_or_password() -> Self {
        let (code, message) = ("INVALID_EMAIL_OR_PASSWORD", "Invalid email or password");
        Self::new(StatusCode::UNAUTHORIZED, code, message)
    }

    pub(super) fn invalid_password() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "INVALID_PASSWORD",
            "Invalid password",
        )
    }

    pub(super) fn invalid_token(status: StatusCode) -> Self {
        Self::new(status, "INVALID_TOKEN", "Invalid token")
    }

    pub(super) fn password_too_short() -> Self {
        let (code, message) = ("PASSWORD_TOO_SHORT", "Password too short");
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn password_too_long() -> Self {
        let (code, message) = ("PASSWORD_TOO_LONG", "Password too long");
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// Creates the error of Better Auth's plugin `haveIBeenPwned`, for a common password.
    pub(super) fn password_compromised() -> Self {
        let (code, message) = (
            "PASSWORD_COMPROMISED",
            "The password you entered has been compromised. Please choose a different password.",
        );
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn no_credential_account() -> Self {
        let (code, message) = (
            "CREDENTIAL_ACCOUNT_NOT_FOUND",
            "Credential account not found",
        );
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn no_fields_to_update() -> Self {
        Self::bad_request("No fields to update")
    }

    fn user_already_exists() -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
            "User already exists. Use another email.",
        )
    }

    fn email_not_verified() -> Self {
        let (code, message) = ("EMAIL_NOT_VERIFIED", "Email not verified");
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    fn too_many_requests() -> Self {
        let message = "Too many requests. Please try again later.";
        Self::with_optional_code(StatusCode::TOO_MANY_REQUESTS, None, message.into())
    }

    /// Adds `Set-Cookie` values, for example to clear the cookies of a session.
    pub(super) fn with_cookies(mut self, cookies: impl IntoIterator<Item = HeaderValue>) -> Self {
        let headers = cookies.into_iter().map(|cookie| (SET_COOKIE, cookie));
        self.headers.extend(headers);
        self
    }

    /// Converts a problem for which Better Auth has no error of its own. Keeps the status, code, detail and
    /// `Retry-After`. With status 500, the response has no body.
    fn from_untranslated_problem(problem: Problem) -> Self {
        let status = problem.status_code();
        let mut error = if status == StatusCode::INTERNAL_SERVER_ERROR {
            Self::empty(status)
        } else {
            let message = problem.detail().to_owned();
            Self::new(status, problem.code().as_str(), message)
        };
        let retry_after = problem.retry_after().cloned();
        error
            .headers
            .extend(retry_after.map(|value| (RETRY_AFTER, value)));
        error.cause = Some(Arc::new(problem));
        error
    }
}

/// Translates the problems of this server into errors of Better Auth.
impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        match problem.code() {
            Code::InvalidEmailOrPassword => Self::invalid_email_or_password(),
            Code::InvalidPassword => Self::invalid_password(),
            Code::InvalidOrExpiredToken => Self::invalid_token(StatusCode::BAD_REQUEST),
            Code::EmailNotVerified => Self::email_not_verified(),
            Code::UserAlreadyExists => Self::user_already_exists(),
            Code::Unauthorized
            | Code::InvalidToken
            | Code::TokenRevoked
            | Code::TokenStale
            | Code::SessionExpired => Self::unauthorized(),
            Code::TooManyRequests => {
                let mut error = Self::too_many_requests();
                let retry_after = problem.retry_after().cloned();
                error
                    .headers
                    .extend(retry_after.map(|value| (X_RETRY_AFTER, value)));
                error
            }
            _ => Self::from_untranslated_problem(problem),
        }
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        Problem::from(error).into()
    }
}

impl From<auth_core::Error> for ApiError {
    fn from(error: auth_core::Error) -> Self {
        Problem::internal(error).into()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.body.as_ref().map(|body| &*body.message);
        write!(f, "{}: {}", self.status, message.unwrap_or("(empty)"))
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut builder = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            builder.append_header((name, value));
        }
        let mut response = match &self.body {
            Some(body) => builder.json(body),
            None => builder.finish(),
        };
        response
            .extensions_mut()
            .insert(PreserveBody(self.cause.clone()));
        response
    }
}
