//! Issues access tokens.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::claims::{DEFAULT_MAX_LIFETIME, check_sub, require_nonempty, whole_unix_seconds};
use crate::random::random_base64url;
use crate::{Claims, Error, MAX_TOKEN_BYTES, Subject, TokenSigner};

/// Issues access tokens: JWTs of type `at+jwt`, signed with the current secret of a [`Keyring`](crate::Keyring) (HS256)
/// or with a [`SigningKey`](crate::public_key::SigningKey) (EdDSA or ES256; feature `public-key`).
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use auth_core::{Keyring, Secret, Subject, TokenIssuer};
///
/// let keyring = Keyring::new(Secret::generate()?);
/// let issuer = TokenIssuer::new(keyring, "api-server", "api", Duration::from_secs(900))?;
/// let subject = Subject {
///     id: "42",
///     email: "ada@example.com",
///     email_verified: Some(true),
///     session_id: "7",
/// };
/// let token = issuer.issue(&subject, SystemTime::now())?;
/// assert_eq!(token.claims.exp - token.claims.iat, 900);
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TokenIssuer {
    signer: TokenSigner,
    issuer: String,
    audience: String,
    /// The longest lifetime of a token, in seconds.
    lifetime: i64,
}

/// An issued token and its claims.
#[non_exhaustive]
pub struct AccessToken {
    /// The compact JWS (RFC 7515 § 7.1), at most 8192 bytes. The token is a credential: do not log it.
    pub token: String,
    /// The claims of the token, as a verifier returns them.
    pub claims: Claims,
}

/// Redacts the token.
impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("token", &"[redacted]")
            .field("claims", &self.claims)
            .finish()
    }
}

/// The claims of a token, in the order in which they are serialised.
#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    jti: &'a str,
    sid: &'a str,
    email: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

impl TokenIssuer {
    /// Creates an issuer that signs with this keyring or key, whose tokens have this `iss` and `aud`, and an `exp` of at most `iat + lifetime`. The lifetime
    /// is rounded down to whole seconds.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if `issuer` or `audience` is empty, or `lifetime` is not 1 second to 400 days.
    pub fn new(
        signer: impl Into<TokenSigner>,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        lifetime: Duration,
    ) -> Result<Self, Error> {
        const OUT_OF_RANGE: Error =
            Error::InvalidSetting("the token lifetime must be 1 second to 400 days");
        if lifetime > DEFAULT_MAX_LIFETIME || lifetime.as_secs() == 0 {
            return Err(OUT_OF_RANGE);
        }
        Ok(Self {
            signer: signer.into(),
            issuer: require_nonempty(issuer.into(), "the issuer must not be empty")?,
            audience: require_nonempty(audience.into(), "the audience must not be empty")?,
            lifetime: i64::try_from(lifetime.as_secs()).map_err(|_too_long| OUT_OF_RANGE)?,
        })
    }

    /// Returns the longest lifetime of the tokens, in whole seconds (`expires_in`, RFC 6749 § 5.1).
    #[must_use]
    pub const fn lifetime_seconds(&self) -> i64 {
        self.lifetime
    }

    /// Issues a token with a new `jti` of 128 random bits. `iat` is `now`, rounded down to whole seconds, and `exp` is
    /// `iat` plus the lifetime that was passed to [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidClaim`] if `subject.id` is empty or has surrounding white space. [`Error::TokenTooLong`] if the
    /// token would have more than 8192 bytes: a [`TokenVerifier`](crate::TokenVerifier) would reject such a token.
    /// [`Error::Crypto`] if the operating system returns no random bytes.
    pub fn issue(&self, subject: &Subject<'_>, now: SystemTime) -> Result<AccessToken, Error> {
        self.issue_with_id(subject, random_base64url::<16>()?, now)
    }

    /// As [`issue`](Self::issue), with the given `jti`. From the same subject, `jti` and `now` (in whole seconds),
    /// issuers with equal settings and the same current secret or signing key produce the same token. Two different tokens must not
    /// have the same `jti` (RFC 7519 § 4.1.7).
    ///
    /// # Errors
    ///
    /// As [`issue`](Self::issue).
    pub fn issue_with_id(
        &self,
        subject: &Subject<'_>,
        jti: String,
        now: SystemTime,
    ) -> Result<AccessToken, Error> {
        self.issue_claims(subject, jti, now, i64::MAX)
    }

    /// As [`issue_with_id`](Self::issue_with_id), but with an `exp` of at most `max_exp` (seconds since 1970).
    ///
    /// # Errors
    ///
    /// As [`issue_until`](Self::issue_until).
    pub fn issue_with_id_until(
        &self,
        subject: &Subject<'_>,
        jti: String,
        max_exp: i64,
        now: SystemTime,
    ) -> Result<AccessToken, Error> {
        self.issue_claims(subject, jti, now, max_exp)
    }

    /// As [`issue`](Self::issue), but with an `exp` of at most `max_exp` (seconds since 1970). For example, the token
    /// that a token exchange (RFC 8693) returns must not outlive the token of the request.
    ///
    /// # Errors
    ///
    /// [`Error::Expired`] if `max_exp` is not after `now`; otherwise as [`issue`](Self::issue).
    pub fn issue_until(
        &self,
        subject: &Subject<'_>,
        max_exp: i64,
        now: SystemTime,
    ) -> Result<AccessToken, Error> {
        self.issue_claims(subject, random_base64url::<16>()?, now, max_exp)
    }

    fn issue_claims(
        &self,
        subject: &Subject<'_>,
        jti: String,
        now: SystemTime,
        max_exp: i64,
    ) -> Result<AccessToken, Error> {
        check_sub(subject.id)?;
        let iat = whole_unix_seconds(now);
        let exp = iat.saturating_add(self.lifetime).min(max_exp);
        if exp <= iat {
            return Err(Error::Expired);
        }
        let claims = Claims {
            sub: subject.id.to_owned(),
            email: subject.email.to_owned(),
            email_verified: subject.email_verified,
            sid: subject.session_id.to_owned(),
            jti,
            iat,
            exp,
        };
        let token = self.sign(&claims)?;
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::TokenTooLong);
        }
        Ok(AccessToken { token, claims })
    }

    fn sign(&self, claims: &Claims) -> Result<String, Error> {
        let payload = Payload {
            iss: &self.issuer,
            sub: &claims.sub,
            aud: &self.audience,
            exp: claims.exp,
            iat: claims.iat,
            jti: &claims.jti,
            sid: &claims.sid,
            email: &claims.email,
            email_verified: claims.email_verified,
        };
        let json = serde_json::to_vec(&payload).map_err(|_impossible| Error::Crypto)?;
        self.signer.sign(&json)
    }
}
