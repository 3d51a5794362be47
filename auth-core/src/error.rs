//! The error type of this crate.

use std::fmt;

/// An error of this crate, such as the reason for rejecting a token, a password or a setting.
///
/// Every variant has a stable [`code`](Self::code), an HTTP [`status`](Self::status) and, for 401, a
/// [`WWW-Authenticate`](Self::www_authenticate) value (RFC 6750 § 3), so any framework can respond with an error. This
/// crate puts no text of a token, a header, a password or a secret into an error, so an error is safe to log. The text
/// of a 500 is about the service itself: do not send it ([`Refusal`](crate::Refusal) does not).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// 401: the request has neither an `Authorization` header nor an accepted cookie.
    MissingCredentials,
    /// 401: the `Authorization` header is not one `Bearer <token>` (RFC 6750 § 2.1), or the cookies are not acceptable,
    /// for example because two of them have the name of the token's cookie.
    MalformedCredentials(&'static str),
    /// 401: the token is longer than [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES). An issuer returns this error instead
    /// of such a token.
    TokenTooLong,
    /// 401: the token does not have the format of its kind. The format of an access token is a compact JWS of one JSON
    /// header and one JSON object (RFC 7515 § 3.1, RFC 7519 § 7.2).
    MalformedToken(&'static str),
    /// 401: the JOSE header does not name an accepted algorithm and an accepted type (RFC 8725 § 3.1, § 3.11), lacks
    /// the `kid` of a public key, or has a duplicate, forbidden or invalid parameter.
    UnacceptableHeader(&'static str),
    /// 401: no secret of the keyring made the MAC of the token, or the public key that the token names did not verify
    /// its signature (RFC 7515 § 5.2).
    SignatureMismatch,
    /// 401: no key of the key set has the `kid` of the token (RFC 7515 § 4.1.4).
    UnknownKey,
    /// 401: a required claim is absent (RFC 7519 § 4.1).
    MissingClaim(&'static str),
    /// 401: a claim has a wrong type or an unacceptable value (RFC 7519 § 4.1), or occurs twice (§ 4).
    InvalidClaim(&'static str),
    /// 401: `iat` or `nbf` lies in the future by more than the leeway (RFC 7519 § 4.1.5).
    NotYetValid,
    /// 401: `exp` lies in the past by the leeway or more (RFC 7519 § 4.1.4); the MAC or signature and the other claims
    /// are valid. A token or code of a mail has no leeway. An issuer returns this error if the requested limit of `exp`
    /// is not in the future.
    Expired,
    /// 401: the token was revoked, by its id, its session, its subject or the time at which it was issued. The token is
    /// otherwise valid.
    Revoked,
    /// 401: the token has roles or other claims from before a change of its user. The token is otherwise valid. The
    /// client refreshes it, as after its expiry.
    Stale,
    /// 403: the custom claims of an accepted token are not what the service asks for, for example because the user has
    /// no such claim. A new token would not help.
    InvalidCustomClaims,
    /// 503: the list of revoked sessions is too old or was never received, so the session may be revoked. The token is
    /// otherwise valid.
    RevocationsOutdated,
    /// 503: the keys of the issuer were never received, or are too old.
    KeysUnavailable,
    /// 500: a public or private key, or a document of keys, is not acceptable; the text says why.
    InvalidKey(&'static str),
    /// 500: a secret is too weak; the text says why and what to do.
    WeakSecret(&'static str),
    /// 500: a setting is not acceptable, or a requirement is missing (a tokio runtime, TLS certificates). The text says
    /// which.
    InvalidSetting(&'static str),
    /// 422: a password is outside the limits; the text names the limit.
    UnacceptablePassword(&'static str),
    /// 422: a role, a scope or the custom claims of a new token break a rule; the text names the rule.
    UnacceptableClaims(&'static str),
    /// 422: the custom claims of a new token have a member with this name, which is the name of a standard claim or of
    /// a claim of this crate.
    ReservedClaim(&'static str),
    /// 500: a stored password hash is neither bcrypt of cost 4 to 15 nor Better Auth's scrypt.
    InvalidPasswordHash,
    /// 500: the operating system returned no random bytes, or a computation failed unexpectedly.
    Crypto,
}

impl Error {
    /// Returns a stable, machine-readable name: `UNAUTHORIZED`, `INVALID_TOKEN`, `TOKEN_EXPIRED`, `TOKEN_REVOKED`,
    /// `TOKEN_STALE`, `FORBIDDEN`, `AUTHORITY_UNAVAILABLE`, `VALIDATION_ERROR` or `INTERNAL_SERVER_ERROR`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingCredentials => "UNAUTHORIZED",
            Self::Expired => "TOKEN_EXPIRED",
            Self::Revoked => "TOKEN_REVOKED",
            Self::Stale => "TOKEN_STALE",
            Self::InvalidCustomClaims => "FORBIDDEN",
            Self::RevocationsOutdated | Self::KeysUnavailable => "AUTHORITY_UNAVAILABLE",
            Self::UnacceptablePassword(_)
            | Self::UnacceptableClaims(_)
            | Self::ReservedClaim(_) => "VALIDATION_ERROR",
            _ if self.status() == 401 => "INVALID_TOKEN",
            _ => "INTERNAL_SERVER_ERROR",
        }
    }

    /// Returns the HTTP status to respond with: 401 for credentials, 403 for custom claims that a service requires, 422
    /// for a password or claims of a new token, 500 for an error of the service (settings, stored hashes or operating
    /// system), 503 for a temporary error.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::UnacceptablePassword(_)
            | Self::UnacceptableClaims(_)
            | Self::ReservedClaim(_) => 422,
            Self::InvalidCustomClaims => 403,
            Self::RevocationsOutdated | Self::KeysUnavailable => 503,
            Self::WeakSecret(_)
            | Self::InvalidKey(_)
            | Self::InvalidSetting(_)
            | Self::InvalidPasswordHash
            | Self::Crypto => 500,
            _ => 401,
        }
    }

    /// Returns the `WWW-Authenticate` value for a 401 (RFC 6750 § 3), `None` for any other status.
    ///
    /// The value has `error` and `error_description` unless the request had no credentials (RFC 6750 § 3.1).
    #[must_use]
    pub fn www_authenticate(&self) -> Option<String> {
        match self {
            Self::MissingCredentials => Some(r#"Bearer realm="api""#.to_owned()),
            _ if self.status() == 401 => Some(format!(
                r#"Bearer realm="api", error="invalid_token", error_description="{self}""#
            )),
            _ => None,
        }
    }
}

/// Writes one line. For a 401 the line is ASCII without `"` and `\`, as `error_description` requires (RFC 6750 § 3).
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingCredentials => f.write_str("Authentication is required"),
            Self::TokenTooLong => f.write_str("The token is longer than 8192 bytes"),
            Self::SignatureMismatch => f.write_str("The token signature does not match"),
            Self::UnknownKey => f.write_str("The key of the token is not known"),
            Self::KeysUnavailable => f.write_str(
                "The keys of the issuer are not available at the moment; please try again",
            ),
            Self::MissingClaim(claim) => write!(f, "The token lacks the claim {claim}"),
            Self::InvalidClaim(claim) => write!(f, "The token claim {claim} is not acceptable"),
            Self::NotYetValid => f.write_str("The token is not valid yet"),
            Self::Expired => f.write_str("The token has expired"),
            Self::Revoked => f.write_str("The session of the token has ended"),
            Self::Stale => {
                f.write_str("The token is older than a change of its user; refresh the token")
            }
            Self::InvalidCustomClaims => {
                f.write_str("The token lacks claims that this service requires")
            }
            Self::ReservedClaim(claim) => write!(f, "The claim {claim} is reserved"),
            Self::RevocationsOutdated => f.write_str(
                "Whether the session has ended is not known at the moment; please try again",
            ),
            Self::InvalidPasswordHash => f.write_str(
                "The stored password hash is neither bcrypt of cost 4 to 15 nor Better Auth's scrypt",
            ),
            Self::Crypto => f.write_str("The system's cryptography failed"),
            Self::MalformedCredentials(reason)
            | Self::MalformedToken(reason)
            | Self::UnacceptableHeader(reason)
            | Self::InvalidKey(reason)
            | Self::WeakSecret(reason)
            | Self::InvalidSetting(reason)
            | Self::UnacceptablePassword(reason)
            | Self::UnacceptableClaims(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for Error {}
