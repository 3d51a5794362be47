//! Builds access tokens with roles, a scope, custom claims and another audience.

use std::time::SystemTime;

use serde::Serialize;

use super::{AccessToken, TokenIssuer};
use crate::claims::{check_sub, whole_unix_seconds};
use crate::random::random_base64url;
use crate::{Claims, CustomClaimsJson, Error, MAX_TOKEN_BYTES, Roles, Scope, Subject};

/// A builder of an access token, from [`TokenIssuer::token_for`] or [`TokenIssuer::token_for_machine`].
#[derive(Debug, Clone)]
#[must_use = "a builder issues no token until `issue` is called"]
pub struct TokenBuilder<'a> {
    issuer: &'a TokenIssuer,
    sub: &'a str,
    email: Option<&'a str>,
    email_verified: Option<bool>,
    sid: Option<&'a str>,
    audience: &'a str,
    roles: Option<&'a Roles>,
    scope: Option<&'a Scope>,
    claims_version: u64,
    custom: Option<&'a CustomClaimsJson>,
    jti: Option<String>,
    max_exp: i64,
}

/// The claims of a token, in the order in which they are serialised. Custom claims follow.
#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Roles::is_empty")]
    roles: &'a Roles,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a Scope>,
    #[serde(skip_serializing_if = "is_zero")]
    claims_version: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl<'a> TokenBuilder<'a> {
    pub(super) fn for_user(issuer: &'a TokenIssuer, subject: Subject<'a>) -> Self {
        Self {
            email: Some(subject.email),
            email_verified: subject.email_verified,
            sid: Some(subject.session_id),
            ..Self::for_machine(issuer, subject.id)
        }
    }

    pub(super) const fn for_machine(issuer: &'a TokenIssuer, id: &'a str) -> Self {
        Self {
            issuer,
            sub: id,
            email: None,
            email_verified: None,
            sid: None,
            audience: issuer.audience.as_str(),
            roles: None,
            scope: None,
            claims_version: 0,
            custom: None,
            jti: None,
            max_exp: i64::MAX,
        }
    }

    /// Sets `roles` (RFC 9068 § 2.2.3.1). Defaults to none; the token then has no such claim.
    pub const fn with_roles(mut self, roles: &'a Roles) -> Self {
        self.roles = Some(roles);
        self
    }

    /// Sets `scope` (RFC 6749 § 3.3): what the token may be used for. Defaults to none; the token then has no such
    /// claim and may be used for everything that its user may do.
    pub const fn with_scope(mut self, scope: &'a Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Adds custom claims. Defaults to none.
    pub const fn with_custom_claims(mut self, custom: &'a CustomClaimsJson) -> Self {
        self.custom = Some(custom);
        self
    }

    /// Sets `claims_version`, the version of the user's roles and other claims, at most 2^53 − 1. Read the version and
    /// the claims in the same transaction. Defaults to 0; the token then has no such claim. See
    /// [`Revocations::mark_stale`](crate::Revocations::mark_stale).
    pub const fn with_claims_version(mut self, version: u64) -> Self {
        self.claims_version = version;
        self
    }

    /// Sets `aud` (RFC 7519 § 4.1.3). Defaults to the audience of the issuer. The key of the issuer signs in any case:
    /// for a service that has only [a key of its own](crate::Secret::for_audience), create an issuer with that key.
    pub const fn with_audience(mut self, audience: &'a str) -> Self {
        self.audience = audience;
        self
    }

    /// Sets `jti` (RFC 7519 § 4.1.7). Two different tokens must not have the same `jti`. Defaults to 128 random bits.
    pub fn with_jti(mut self, jti: impl Into<String>) -> Self {
        self.jti = Some(jti.into());
        self
    }

    /// Limits `exp`, in seconds since 1970. By default, only the lifetime of the issuer's tokens limits it. For
    /// example, the token that a token exchange (RFC 8693) returns must not outlive the token of the request.
    pub const fn with_max_exp(mut self, max_exp: i64) -> Self {
        self.max_exp = max_exp;
        self
    }

    /// Issues the token. `iat` is `now`, rounded down to whole seconds.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidClaim`] if the id of the user or of the machine is empty or has surrounding white space, or if
    /// the version of the claims is above 2^53 − 1. [`Error::InvalidSetting`] if the audience is empty.
    /// [`Error::Expired`] if the limit of `exp` is not after `now`. [`Error::TokenTooLong`] if the token would have
    /// more than 8192 bytes: a [`TokenVerifier`](crate::TokenVerifier) would reject such a token. [`Error::Crypto`] if
    /// the operating system returns no random bytes.
    pub fn issue(mut self, now: SystemTime) -> Result<AccessToken, Error> {
        /// The largest integer that every JSON parser reads exactly (RFC 8259 § 6).
        const MAX_VERSION: u64 = (1 << 53) - 1;
        check_sub(self.sub)?;
        if self.audience.is_empty() {
            return Err(Error::InvalidSetting("the audience must not be empty"));
        }
        if self.claims_version > MAX_VERSION {
            return Err(Error::InvalidClaim("claims_version"));
        }
        let iat = whole_unix_seconds(now);
        let exp = iat.saturating_add(self.issuer.lifetime).min(self.max_exp);
        if exp <= iat {
            return Err(Error::Expired);
        }
        let jti = match self.jti.take() {
            Some(jti) => jti,
            None => random_base64url::<16>()?,
        };
        let claims = self.claims(jti, iat, exp);
        let token = self.sign(&claims)?;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::TokenTooLong);
        }
        Ok(AccessToken { token, claims })
    }

    fn claims(&self, jti: String, iat: i64, exp: i64) -> Claims {
        Claims {
            sub: self.sub.to_owned(),
            email: self.email.map(ToOwned::to_owned),
            email_verified: self.email_verified,
            sid: self.sid.map(ToOwned::to_owned),
            jti,
            iat,
            exp,
            roles: self.roles.cloned().unwrap_or_default(),
            scope: self.scope.cloned(),
            claims_version: self.claims_version,
            payload: None,
        }
    }

    fn sign(&self, claims: &Claims) -> Result<String, Error> {
        let payload = Payload {
            iss: &self.issuer.issuer,
            sub: &claims.sub,
            aud: self.audience,
            exp: claims.exp,
            iat: claims.iat,
            jti: &claims.jti,
            sid: self.sid,
            email: self.email,
            email_verified: claims.email_verified,
            roles: &claims.roles,
            scope: self.scope,
            claims_version: claims.claims_version,
        };
        let mut json = serde_json::to_vec(&payload).map_err(|_impossible| Error::Crypto)?;
        if let Some(custom) = self.custom.filter(|custom| !custom.is_empty()) {
            // Both texts are JSON objects, and no name is in both, so their members form one object.
            json.pop();
            json.push(b',');
            json.extend_from_slice(custom.members().as_bytes());
            json.push(b'}');
        }
        self.issuer.signer.sign(&json)
    }
}
