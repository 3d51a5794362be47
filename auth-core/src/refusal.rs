//! Defines the response to a refused request. Status, header fields and body are the same in actix-web and axum.

mod response;

use std::borrow::Cow;
use std::fmt;

use crate::{Error, Scope};

/// The response to a refused request: status, header fields and a problem document (RFC 9457).
///
/// With the feature `actix`, `axum` or `tonic`, a refusal converts to a response of the framework. For another
/// framework, send [`status`](Self::status), [`headers`](Self::headers) and [`body`](Self::body) unchanged, and
/// [`MEDIA_TYPE`](Self::MEDIA_TYPE) as `Content-Type`.
///
/// The response contains no internals of the service. `Display`, for the log, adds the [`cause`](Self::cause).
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
    /// An error of this crate.
    Error(Error),
    /// A 401 of an authority outside this crate: a code of this crate, and the detail of the authority's response.
    Relayed(&'static str, Cow<'static, str>),
    /// A 403, with its detail for the caller.
    Forbidden(&'static str),
    /// A 403, with the scope that the token lacks.
    InsufficientScope(Scope),
    /// A 503, with its cause for the log.
    Unavailable(Cow<'static, str>),
    /// A 500, with its cause for the log.
    Internal(Cow<'static, str>),
}

impl Refusal {
    /// Creates a 403 `FORBIDDEN`: the user id in the path is not the id of the caller.
    #[must_use]
    pub const fn wrong_owner() -> Self {
        Self(Reason::Forbidden("This address belongs to another user"))
    }

    /// Creates a 403 `FORBIDDEN`: the request's `X-User-Id` is not the id of the caller.
    #[must_use]
    pub const fn user_id_mismatch() -> Self {
        Self(Reason::Forbidden(
            "X-User-Id differs from the user of the token",
        ))
    }

    /// Creates a 403 `FORBIDDEN`: the caller does not have a role that is required.
    #[must_use]
    pub const fn missing_role() -> Self {
        Self(Reason::Forbidden(
            "The caller lacks a role that this resource requires",
        ))
    }

    /// Creates a 403 `INSUFFICIENT_SCOPE` with a challenge that names the required scope (RFC 6750 § 3.1).
    #[must_use]
    pub fn insufficient_scope(required: &Scope) -> Self {
        Self(Reason::InsufficientScope(required.clone()))
    }

    /// Creates a 401 with the code and the detail of another authority.
    ///
    /// A `code` other than `UNAUTHORIZED`, `TOKEN_EXPIRED`, `TOKEN_REVOKED` and `TOKEN_STALE` becomes `INVALID_TOKEN`.
    /// This crate's text for the code replaces the `detail` of `UNAUTHORIZED`, an empty `detail`, and a `detail` with
    /// characters that `error_description` must not contain (RFC 6750 § 3).
    #[must_use]
    pub fn unauthorized(code: &str, detail: impl Into<Cow<'static, str>>) -> Self {
        let error = match code {
            "UNAUTHORIZED" => return Error::MissingCredentials.into(),
            "TOKEN_EXPIRED" => Error::Expired,
            "TOKEN_REVOKED" => Error::Revoked,
            "TOKEN_STALE" => Error::Stale,
            _ => Error::MalformedToken("The token is not acceptable"),
        };
        let detail = detail.into();
        if detail.is_empty() || !detail.bytes().all(is_quotable) {
            return error.into();
        }
        Self(Reason::Relayed(error.code(), detail))
    }

    /// Creates a 503 `AUTHORITY_UNAVAILABLE`: the authority returned no result. `cause` is for the log only.
    #[must_use]
    pub fn authority_unavailable(cause: impl Into<Cow<'static, str>>) -> Self {
        Self(Reason::Unavailable(cause.into()))
    }

    /// Creates a 500 `INTERNAL_SERVER_ERROR`: an error of the service. `cause` is for the log only.
    #[must_use]
    pub fn internal_error(cause: impl Into<Cow<'static, str>>) -> Self {
        Self(Reason::Internal(cause.into()))
    }

    /// Returns the cause, for the log only; `None` unless the status is 500 or the refusal was created with a cause.
    #[must_use]
    pub fn cause(&self) -> Option<Cow<'_, str>> {
        match &self.0 {
            Reason::Unavailable(cause) | Reason::Internal(cause) => Some(Cow::Borrowed(cause)),
            Reason::Error(error) if error.status() == 500 => Some(Cow::Owned(error.to_string())),
            _ => None,
        }
    }
}

/// Returns whether `error_description` may contain this byte: printable ASCII without `"` and `\` (RFC 6750 § 3).
const fn is_quotable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(Reason::Error(error))
    }
}

/// Writes code, detail and, if known, cause. Only for the log: the response must not contain the cause.
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
    fn the_cause_of_a_500_is_displayed_but_not_sent() {
        for refusal in [Refusal::internal_error("no verifier"), Error::Crypto.into()] {
            let cause = refusal.cause().unwrap().into_owned();
            assert_eq!(refusal.status(), 500);
            assert!(!refusal.body().contains(&cause));
            assert!(refusal.to_string().contains(&cause));
        }
    }

    #[test]
    fn the_detail_of_another_authority_is_kept_only_if_it_fits_into_a_header() {
        let refusal = Refusal::unauthorized("TOKEN_REVOKED", "It is over");
        assert_eq!(
            (refusal.code(), &*refusal.detail()),
            ("TOKEN_REVOKED", "It is over")
        );
        for detail in ["", "a\"b", "a\\b", "a\r\nb", "ä"] {
            let refusal = Refusal::unauthorized("NEW_CODE", detail);
            assert_eq!(refusal.detail(), "The token is not acceptable");
            assert_eq!(refusal.code(), "INVALID_TOKEN");
        }
    }

    #[test]
    fn a_503_has_a_retry_after_header() {
        let refusal = Refusal::authority_unavailable("connection refused");
        assert_eq!(refusal.retry_after(), Some(1));
        assert_eq!(refusal.www_authenticate(), None);
        assert_eq!(refusal.headers().count(), 1);
    }
}
