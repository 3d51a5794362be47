//! Defines the claims of an access token.

mod custom;
mod parse;
mod policy;
mod reserved;
mod roles;
mod scope;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;

use crate::Error;
pub use custom::CustomClaimsJson;
pub(crate) use custom::{KeptPayload, read_custom};
pub(crate) use parse::parse;
pub(crate) use policy::{ClaimRules, DEFAULT_MAX_LIFETIME, Expiry, RequiredClaims, Times};
pub use roles::Roles;
pub use scope::Scope;

/// The user and the session of a token: the input of [`TokenIssuer::issue`](crate::TokenIssuer::issue).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "callers construct it; a new field is a breaking change"
)]
pub struct Subject<'a> {
    /// `sub`: the user's id. Must not be empty or have surrounding white space.
    pub id: &'a str,
    /// `email`: the user's email address.
    pub email: &'a str,
    /// `email_verified`: whether the user has proved that they receive mail at this address. With `None` the token does
    /// not have this claim.
    pub email_verified: Option<bool>,
    /// `sid`: the id of the session (login) to which the token belongs.
    pub session_id: &'a str,
}

/// The claims of an issued or verified access token (RFC 7519 § 4.1, modelled on RFC 9068 § 2.2).
///
/// `iss` and `aud` are left out: the code that issues a token sets both, and a verifier has compared both with its
/// settings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// The id of the user or of the machine. Not empty, without surrounding white space.
    pub sub: String,
    /// The user's email address, as in the token. `None` only in the token of a machine or from a verifier
    /// [with optional `email`](crate::TokenVerifier::with_optional_email).
    pub email: Option<String>,
    /// Whether the user had proved that they receive mail at this address when the token was issued; `None` if the
    /// token does not say so.
    pub email_verified: Option<bool>,
    /// The id of the session (login) to which the token belongs. `None` only in the token of a machine or from a
    /// verifier [with optional `sid`](crate::TokenVerifier::with_optional_sid).
    pub sid: Option<String>,
    /// The token's id. [`TokenIssuer::issue`](crate::TokenIssuer::issue) generates a random id for each token. Empty if
    /// the `jti` of the token is empty or, from a verifier
    /// [with optional `jti`](crate::TokenVerifier::with_optional_jti), absent.
    pub jti: String,
    /// Issued at: seconds since 1970-01-01T00:00:00Z, rounded down to whole seconds.
    pub iat: i64,
    /// Expires at: seconds since 1970-01-01T00:00:00Z, rounded down to whole seconds.
    pub exp: i64,
    /// The user's roles when the token was issued (RFC 9068 § 2.2.3.1). Empty if the token has no `roles`.
    pub roles: Roles,
    /// The scope, which limits what the token may be used for (RFC 6749 § 3.3). `None` if the token has no `scope`: it
    /// may be used for everything that its user may do.
    pub scope: Option<Scope>,
    /// The version of the user's data in this token; 0 if the token has no `claims_version`. See
    /// [`Revocations::mark_stale`](crate::Revocations::mark_stale).
    pub claims_version: u64,
    /// The payload, from a verifier that keeps it for [`custom`](Self::custom).
    pub(crate) payload: Option<KeptPayload>,
}

impl Claims {
    /// Returns whether `role` is one of the roles, byte for byte. Allocates nothing.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.contains(role)
    }

    /// Returns whether the token may be used for `name`: it has no scope, or `name` is in its scope. Allocates nothing.
    #[must_use]
    pub fn has_scope(&self, name: &str) -> bool {
        scope_allows(self.scope.as_ref(), name)
    }

    /// Deserialises the custom claims of the token. Members with a reserved name are left out, so `T` cannot read
    /// `sub`; see [`CustomClaimsJson`] for these names. Members that `T` does not have are ignored, unless `T` has
    /// `#[serde(deny_unknown_fields)]`. [`TokenVerifier::verify_with`](crate::TokenVerifier::verify_with) does the same
    /// in one call.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidCustomClaims`] if the custom claims are not a `T`. [`Error::InvalidSetting`] unless the claims
    /// are from a verifier [with custom claims](crate::TokenVerifier::with_custom_claims).
    pub fn custom<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let payload = self.payload.as_ref();
        payload.map_or(Err(CUSTOM_CLAIMS_NOT_KEPT), KeptPayload::read)
    }

    /// Returns `exp` as a [`SystemTime`]; 1970-01-01 if `exp` is negative or beyond the platform's range.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        let since_1970 = Duration::from_secs(u64::try_from(self.exp).unwrap_or(0));
        UNIX_EPOCH.checked_add(since_1970).unwrap_or(UNIX_EPOCH)
    }
}

/// The error of a program that asks for custom claims without telling its verifier to keep them.
pub(crate) const CUSTOM_CLAIMS_NOT_KEPT: Error = Error::InvalidSetting(
    "the verifier keeps no custom claims: call TokenVerifier::with_custom_claims",
);

/// Returns whether a token with this scope may be used for `name`. A token without a scope may be used for everything.
pub(crate) fn scope_allows(scope: Option<&Scope>, name: &str) -> bool {
    scope.is_none_or(|scope| scope.contains(name))
}

/// Rejects a `sub` that is empty or has surrounding white space. Issuers and verifiers share this rule.
pub(crate) fn check_sub(sub: &str) -> Result<(), Error> {
    if sub.is_empty() || sub.trim() != sub {
        return Err(Error::InvalidClaim("sub"));
    }
    Ok(())
}

/// Returns `text` unless it is empty.
///
/// # Errors
///
/// [`Error::InvalidSetting`] with `message` for an empty text.
pub(crate) fn require_nonempty(text: String, message: &'static str) -> Result<String, Error> {
    if text.is_empty() {
        return Err(Error::InvalidSetting(message));
    }
    Ok(text)
}

/// Converts a time to seconds since 1970-01-01T00:00:00Z. The result is negative for a time before 1970.
pub(crate) fn unix_seconds(time: SystemTime) -> f64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since_1970) => since_1970.as_secs_f64(),
        Err(before_1970) => -before_1970.duration().as_secs_f64(),
    }
}

/// Converts a time to whole seconds since 1970-01-01T00:00:00Z, rounded down.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a clock is within 2^53 s of 1970"
)]
pub(crate) fn whole_unix_seconds(time: SystemTime) -> i64 {
    unix_seconds(time).floor() as i64
}
