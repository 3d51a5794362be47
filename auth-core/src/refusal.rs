//! What a request that may not pass is answered: the same bytes in every framework.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::Error;

/// An answer to a request that may not pass: status, headers and a problem document (RFC 9457).
///
/// The adapters turn it into a response of their framework; for another framework, send [`status`](Self::status),
/// [`headers`](Self::headers) and [`body`](Self::body) as they are.
///
/// It tells the caller nothing of the service's insides. `Display`, for the log, adds the [`cause`](Self::cause).
///
/// ```
/// use auth_core::{Error, Refusal};
///
/// let refusal = Refusal::from(Error::Expired);
/// assert_eq!((refusal.status(), refusal.code()), (401, "TOKEN_EXPIRED"));
/// assert_eq!(
///     refusal.body(),
///     r#"{"status":401,"title":"Unauthorized","code":"TOKEN_EXPIRED","detail":"The token has expired","message":"The token has expired"}"#
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(Reason);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Reason {
    Error(Error),
    /// 401 in the words of another authority.
    Told(&'static str, Cow<'static, str>),
    Forbidden(&'static str),
    Unavailable(Cow<'static, str>),
    Fault(Cow<'static, str>),
}

const UNAVAILABLE: &str = "The credentials cannot be verified at the moment; please try again";

/// In the order in which it is written.
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

    /// 403 `FORBIDDEN`: the address names another user than the caller.
    #[must_use]
    pub const fn wrong_owner() -> Self {
        Self(Reason::Forbidden("This address belongs to another user"))
    }

    /// 403 `FORBIDDEN`: the request's `X-User-Id` contradicts its token.
    #[must_use]
    pub const fn contradicted() -> Self {
        Self(Reason::Forbidden(
            "X-User-Id names somebody other than the token does",
        ))
    }

    /// 401 in the words of another authority. A `code` other than `UNAUTHORIZED`, `TOKEN_EXPIRED` and `TOKEN_REVOKED`
    /// counts as `INVALID_TOKEN`; a `detail` that does not fit into a header (RFC 6750 § 3) is replaced.
    #[must_use]
    pub fn unauthorized(code: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        let error = match code {
            "UNAUTHORIZED" => return Error::MissingCredentials.into(),
            "TOKEN_EXPIRED" => Error::Expired,
            "TOKEN_REVOKED" => Error::Revoked,
            _ => Error::MalformedToken("The token is not acceptable"),
        };
        let detail = detail.into();
        if detail.is_empty() || !detail.bytes().all(is_quotable) {
            return error.into();
        }
        Self(Reason::Told(error.code(), detail))
    }

    /// 503 `AUTHORITY_UNAVAILABLE`: whoever verifies the credentials cannot be asked. Only the log learns `cause`.
    #[must_use]
    pub fn authority_unavailable(cause: impl Into<Cow<'static, str>>) -> Self {
        Self(Reason::Unavailable(cause.into()))
    }

    /// 500 `INTERNAL_SERVER_ERROR`: the service is at fault, not the caller. Only the log learns `cause`.
    #[must_use]
    pub fn fault(cause: impl Into<Cow<'static, str>>) -> Self {
        Self(Reason::Fault(cause.into()))
    }

    /// The HTTP status: 401, 403, 500 or 503 (422 for an unacceptable password).
    #[must_use]
    pub const fn status(&self) -> u16 {
        match &self.0 {
            Reason::Error(error) => error.status(),
            Reason::Told(..) => 401,
            Reason::Forbidden(_) => 403,
            Reason::Unavailable(_) => 503,
            Reason::Fault(_) => 500,
        }
    }

    /// The standard phrase for the status (RFC 9110 § 15).
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

    /// A stable, machine-readable name: those of [`Error::code`], `FORBIDDEN` and `AUTHORITY_UNAVAILABLE`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match &self.0 {
            Reason::Error(error) => error.code(),
            Reason::Told(code, _) => code,
            Reason::Forbidden(_) => "FORBIDDEN",
            Reason::Unavailable(_) => "AUTHORITY_UNAVAILABLE",
            Reason::Fault(_) => "INTERNAL_SERVER_ERROR",
        }
    }

    /// What went wrong, for people; of a fault of the service only that there is one.
    #[must_use]
    pub fn detail(&self) -> Cow<'_, str> {
        match &self.0 {
            Reason::Error(error) if error.status() != 500 => Cow::Owned(error.to_string()),
            Reason::Told(_, detail) => Cow::Borrowed(detail),
            Reason::Forbidden(detail) => Cow::Borrowed(detail),
            Reason::Unavailable(_) => Cow::Borrowed(UNAVAILABLE),
            Reason::Error(_) | Reason::Fault(_) => {
                Cow::Borrowed("Something went wrong on our side")
            }
        }
    }

    /// What only the log may know.
    #[must_use]
    pub fn cause(&self) -> Option<Cow<'_, str>> {
        match &self.0 {
            Reason::Unavailable(cause) | Reason::Fault(cause) => Some(Cow::Borrowed(cause)),
            Reason::Error(error) if error.status() == 500 => Some(Cow::Owned(error.to_string())),
            _ => None,
        }
    }

    /// The `WWW-Authenticate` value that goes with a 401 (RFC 6750 § 3), `None` for any other status.
    #[must_use]
    pub fn www_authenticate(&self) -> Option<String> {
        match &self.0 {
            Reason::Error(error) => error.www_authenticate(),
            Reason::Told(_, detail) => Some(format!(
                r#"Bearer realm="api", error="invalid_token", error_description="{detail}""#
            )),
            _ => None,
        }
    }

    /// The `Retry-After` of a 503 in seconds (RFC 9110 § 10.2.3), `None` for any other status.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self.status() {
            503 => Some(1),
            _ => None,
        }
    }

    /// The header fields of the answer beside `Content-Type`; names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, String)> {
        let challenge = self.www_authenticate();
        let retry = self.retry_after().map(|seconds| seconds.to_string());
        let challenge = challenge.map(|value| ("www-authenticate", value));
        challenge
            .into_iter()
            .chain(retry.map(|value| ("retry-after", value)))
    }

    /// The problem document, of type [`MEDIA_TYPE`](Self::MEDIA_TYPE). `message` repeats `detail`.
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
        // Text and a number cannot fail to be JSON.
        serde_json::to_string(&body).unwrap_or_default()
    }
}

/// Printable ASCII without `"` and `\` (RFC 6750 § 3, `error_description`).
const fn is_quotable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(Reason::Error(error))
    }
}

/// For the log: it names the cause, which the caller must not learn.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.detail())?;
        match self.cause() {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::Refusal;
    use crate::Error;

    #[test]
    fn a_fault_tells_the_log_and_not_the_caller() {
        for refusal in [Refusal::fault("no verifier"), Error::Crypto.into()] {
            let cause = refusal.cause().unwrap().into_owned();
            assert_eq!(refusal.status(), 500);
            assert!(!refusal.body().contains(&cause));
            assert!(refusal.to_string().contains(&cause));
        }
    }

    #[test]
    fn another_authoritys_words_are_repeated_only_if_a_header_can_hold_them() {
        let told = Refusal::unauthorized("TOKEN_REVOKED", "It is over");
        assert_eq!(
            (told.code(), &*told.detail()),
            ("TOKEN_REVOKED", "It is over")
        );
        for strange in ["", "a\"b", "a\\b", "a\r\nb", "ä"] {
            let told = Refusal::unauthorized("NEW_CODE", strange);
            assert_eq!(told.detail(), "The token is not acceptable");
            assert_eq!(told.code(), "INVALID_TOKEN");
        }
    }

    #[test]
    fn what_passes_by_itself_says_when_to_come_back() {
        let refusal = Refusal::authority_unavailable("connection refused");
        assert_eq!(refusal.retry_after(), Some(1));
        assert_eq!(refusal.www_authenticate(), None);
        assert_eq!(refusal.headers().count(), 1);
    }
}
