//! Defines the errors of the server, and the format of error responses in the server's own API (RFC 9457).
//!
//! Handlers of this API return errors as [`Problem`]. The middleware logs the cause of an error with the request id.
//! The response does not contain the cause.

mod code;
pub(crate) mod violation;

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::{HttpResponse, ResponseError};
use auth_core::Refusal;
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use code::Code;

pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// An error, with the data for the error response and for the log.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<String>,
}

/// One field that was not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct FieldError {
    /// The name of the field in the request body or the query.
    #[schema(example = "title")]
    pub(crate) field: String,
    /// A stable name of the rule that was broken.
    #[schema(example = "too_long")]
    pub(crate) code: Cow<'static, str>,
    /// For the person who filled in the field.
    #[schema(example = "must be at most 200 characters")]
    pub(crate) message: Cow<'static, str>,
}

/// The body of every 4xx and 5xx outside Better Auth's API (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// The HTTP status.
    #[schema(example = 401)]
    status: u16,
    /// The standard phrase for the status.
    #[schema(example = "Unauthorized")]
    title: &'a str,
    /// What went wrong; stable, for programs.
    code: Code,
    /// What went wrong, for people.
    #[schema(example = "Invalid email or password")]
    detail: &'a str,
    /// The same as `detail`.
    #[schema(example = "Invalid email or password")]
    message: &'a str,
    /// The fields at fault; only with `VALIDATION_ERROR`.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
            cause: None,
        }))
    }

    /// Creates an error with status 422 that lists the invalid fields.
    pub(crate) fn validation(errors: Vec<FieldError>) -> Self {
        let mut problem = Self::new(Code::ValidationError, "Some fields are not acceptable");
        problem.0.errors = errors;
        problem
    }

    /// Creates an error with status 500. The cause appears in the log, not in the response.
    pub(crate) fn internal(cause: impl fmt::Display) -> Self {
        Self::new(
            Code::InternalServerError,
            "Something went wrong on our side; the request id names it in our log",
        )
        .with_cause(cause)
    }

    /// Adds `Retry-After`, in seconds.
    pub(crate) fn with_retry_after(self, seconds: u64) -> Self {
        self.with_header(RETRY_AFTER, seconds.into())
    }

    /// Creates an error with status 405. `allow` lists the methods of the path (RFC 9110 § 10.2.1).
    pub(crate) fn method_not_allowed(allow: &str) -> Self {
        Self::new(
            Code::MethodNotAllowed,
            format!("This path supports {allow}"),
        )
        .with_text_header(ALLOW, allow)
    }

    /// Adds the cause, which appears only in the log.
    pub(crate) fn with_cause(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    pub(crate) fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    pub(crate) fn code(&self) -> Code {
        self.0.code
    }

    pub(crate) fn retry_after(&self) -> Option<&HeaderValue> {
        let mut headers = self.0.headers.iter();
        let header = headers.find(|(name, _)| *name == RETRY_AFTER);
        header.map(|(_, value)| value)
    }

    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Adds a header. Leaves out a value that is not visible ASCII; no caller passes such a value.
    fn with_text_header(self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(value) => self.with_header(name, value),
            Err(_not_visible_ascii) => self,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.as_str(), self.0.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.code.status()
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        for (name, value) in &self.0.headers {
            response.insert_header((name, value));
        }
        response.insert_header((CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)));
        response.json(ProblemBody {
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or_default(),
            code: self.0.code,
            detail: &self.0.detail,
            message: &self.0.detail,
            errors: &self.0.errors,
        })
    }
}

/// Keeps the code, the detail and the `WWW-Authenticate` header of the refusal. `AUTHORITY_UNAVAILABLE` becomes
/// `Code::DatabaseUnavailable`. Any code that this server does not know becomes an error with status 500.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.code() {
            "UNAUTHORIZED" => Code::Unauthorized,
            "TOKEN_EXPIRED" => Code::TokenExpired,
            "TOKEN_REVOKED" => Code::TokenRevoked,
            "TOKEN_STALE" => Code::TokenStale,
            "INSUFFICIENT_SCOPE" => Code::InsufficientScope,
            "INVALID_TOKEN" => Code::InvalidToken,
            "FORBIDDEN" => Code::Forbidden,
            "AUTHORITY_UNAVAILABLE" => return Self::database_unavailable(refusal),
            _ => return Self::internal(refusal),
        };
        let problem = Self::new(code, refusal.detail().into_owned());
        match refusal.www_authenticate() {
            Some(challenge) => problem.with_text_header(WWW_AUTHENTICATE, &challenge),
            None => problem,
        }
    }
}

impl From<auth_core::Error> for Problem {
    fn from(error: auth_core::Error) -> Self {
        Refusal::from(error).into()
    }
}

/// Errors that several modules return.
impl Problem {
    pub(crate) fn unknown_path() -> Self {
        Self::new(Code::NotFound, "Nothing has this address")
    }

    pub(crate) fn overloaded() -> Self {
        Self::new(
            Code::Overloaded,
            "The server has too much to do; please try again",
        )
        .with_retry_after(1)
    }

    pub(crate) fn stopping() -> Self {
        Self::new(
            Code::Overloaded,
            "This process stops; please send requests to another one",
        )
        .with_retry_after(1)
    }

    pub(crate) fn account_busy() -> Self {
        Self::new(
            Code::TooManyRequests,
            "Too many requests of this account or network at once; please try again",
        )
        .with_retry_after(1)
    }

    pub(crate) fn database_unavailable(cause: impl fmt::Display) -> Self {
        let detail = "The database does not answer; please try again";
        Self::new(Code::DatabaseUnavailable, detail)
            .with_retry_after(2)
            .with_cause(cause)
    }

    pub(crate) fn invalid_credentials() -> Self {
        Self::new(Code::InvalidEmailOrPassword, "Invalid email or password").with_challenge()
    }

    pub(crate) fn email_not_verified() -> Self {
        Self::new(
            Code::EmailNotVerified,
            "Verify your email address first: follow the link in the mail, or request another mail",
        )
    }

    /// Creates an error with status 401 for a valid token whose account no longer exists.
    pub(crate) fn account_missing() -> Self {
        Self::new(
            Code::InvalidToken,
            "The account of this token does not exist",
        )
        .with_challenge()
    }

    /// Creates an error with status 401 for a caller whose session has ended although the token was accepted, or whose
    /// account has changed during the request.
    pub(crate) fn token_revoked() -> Self {
        auth_core::Error::Revoked.into()
    }

    /// Creates an error with status 401 for a session that has expired, was ended or does not exist.
    pub(crate) fn session_expired() -> Self {
        Self::new(Code::SessionExpired, "The session is over; log in again").with_challenge()
    }

    pub(crate) fn refresh_token_reused() -> Self {
        Self::new(
            Code::RefreshTokenReused,
            "The refresh token was used before, so the session was ended; log in again",
        )
        .with_challenge()
    }

    /// Adds `WWW-Authenticate`, which every 401 response must have (RFC 9110 § 15.5.2).
    fn with_challenge(self) -> Self {
        let challenge = format!(
            r#"Bearer realm="api", error="invalid_token", error_description="{}""#,
            self.0.detail
        );
        self.with_text_header(WWW_AUTHENTICATE, &challenge)
    }
}
