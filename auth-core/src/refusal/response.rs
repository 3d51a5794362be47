//! Computes the parts of the response to a refused request: status, header fields and body.

use std::borrow::Cow;

use serde::Serialize;

use super::{Reason, Refusal};

const UNAVAILABLE_DETAIL: &str =
    "The credentials cannot be verified at the moment; please try again";

/// The members of the problem document, in the order in which they are serialised.
#[derive(Serialize)]
struct Body<'a> {
    status: u16,
    title: &'a str,
    code: &'a str,
    detail: &'a str,
    message: &'a str,
}

impl Refusal {
    /// The media type of [`body`](Self::body) (RFC 9457 § 3).
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    /// Returns the HTTP status: 401, 403, 500 or 503 (422 for an unacceptable password or unacceptable claims of a new
    /// token).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match &self.0 {
            Reason::Error(error) => error.status(),
            Reason::Relayed(..) => 401,
            Reason::Forbidden(_) | Reason::InsufficientScope(_) => 403,
            Reason::Unavailable(_) => 503,
            Reason::Internal(_) => 500,
        }
    }

    /// Returns the standard phrase for the status: of RFC 9110 § 15, for 422 the older one of RFC 4918 § 11.2.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self.status() {
            401 => "Unauthorized",
            403 => "Forbidden",
            422 => "Unprocessable Entity",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        }
    }

    /// Returns a stable, machine-readable name: `FORBIDDEN`, `INSUFFICIENT_SCOPE` or a name of
    /// [`Error::code`](crate::Error::code).
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match &self.0 {
            Reason::Error(error) => error.code(),
            Reason::Relayed(code, _) => code,
            Reason::Forbidden(_) => "FORBIDDEN",
            Reason::InsufficientScope(_) => "INSUFFICIENT_SCOPE",
            Reason::Unavailable(_) => "AUTHORITY_UNAVAILABLE",
            Reason::Internal(_) => "INTERNAL_SERVER_ERROR",
        }
    }

    /// Returns the explanation for the caller. For a 500 the text is always the same.
    #[must_use]
    pub fn detail(&self) -> Cow<'_, str> {
        match &self.0 {
            Reason::Error(error) if error.status() != 500 => Cow::Owned(error.to_string()),
            Reason::Relayed(_, detail) => Cow::Borrowed(detail),
            Reason::Forbidden(detail) => Cow::Borrowed(detail),
            Reason::InsufficientScope(_) => {
                Cow::Borrowed("The token lacks a scope that this resource requires")
            }
            Reason::Unavailable(_) => Cow::Borrowed(UNAVAILABLE_DETAIL),
            Reason::Error(_) | Reason::Internal(_) => {
                Cow::Borrowed("Something went wrong on our side")
            }
        }
    }

    /// Returns the `WWW-Authenticate` value for a 401 (RFC 6750 § 3) and for a 403 `INSUFFICIENT_SCOPE` (RFC 6750 §
    /// 3.1), `None` for any other refusal.
    #[must_use]
    pub fn www_authenticate(&self) -> Option<String> {
        match &self.0 {
            Reason::Error(error) => error.www_authenticate(),
            Reason::Relayed(_, detail) => Some(format!(
                r#"Bearer realm="api", error="invalid_token", error_description="{detail}""#
            )),
            Reason::InsufficientScope(scope) => Some(format!(
                r#"Bearer error="insufficient_scope", scope="{scope}""#
            )),
            _ => None,
        }
    }

    /// Returns the `Retry-After` value for a 503, in seconds (RFC 9110 § 10.2.3), `None` for any other status.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self.status() {
            503 => Some(1),
            _ => None,
        }
    }

    /// Iterates over the header fields of the response except `Content-Type`. Names are in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let challenge = self.www_authenticate();
        let challenge_field = challenge.map(|value| ("www-authenticate", value));
        let retry_after = self.retry_after();
        let retry_field = retry_after.map(|seconds| ("retry-after", seconds.to_string()));
        challenge_field.into_iter().chain(retry_field)
    }

    /// Returns the problem document, of the media type [`MEDIA_TYPE`](Self::MEDIA_TYPE). `message` repeats `detail`.
    #[must_use]
    pub fn body(&self) -> String {
        let detail = self.detail();
        let body = Body {
            status: self.status(),
            title: self.title(),
            code: self.code(),
            detail: &detail,
            message: &detail,
        };
        // Serialising strings and a number does not fail, so `unwrap_or_default` never returns the default.
        serde_json::to_string(&body).unwrap_or_default()
    }
}
