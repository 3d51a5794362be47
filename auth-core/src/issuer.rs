//! Claims and a clock in, a compact token out.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::claims::{check_sub, seconds};
use crate::verifier::{DEFAULT_MAX_LIFETIME, require_text};
use crate::{Claims, Error, Keyring, MAX_TOKEN_BYTES, Subject, jws};

/// Issues access tokens: HS256 JWTs of type `at+jwt` under the keyring's current secret.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use auth_core::{Keyring, Secret, Subject, TokenIssuer};
///
/// let keyring = Keyring::new(Secret::generate()?);
/// let issuer = TokenIssuer::new(keyring, "api-server", "api", Duration::from_secs(900))?;
/// let subject = Subject { id: "42", email: "ada@example.com", session_id: "7" };
/// let token = issuer.issue(&subject, SystemTime::now())?;
/// assert_eq!(token.claims.exp - token.claims.iat, 900);
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TokenIssuer {
    keyring: Keyring,
    issuer: String,
    audience: String,
    lifetime: i64,
}

/// A token and what it says.
#[non_exhaustive]
pub struct AccessToken {
    /// The compact JWS (RFC 7515 § 7.1). It is a credential: do not log it.
    pub token: String,
    /// The claims in it.
    pub claims: Claims,
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("token", &"[redacted]")
            .field("claims", &self.claims)
            .finish()
    }
}

/// The payload as it is written.
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
}

impl TokenIssuer {
    /// An issuer that writes `iss`, `aud` and `exp = iat + lifetime`; the lifetime counts whole seconds.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if `issuer` or `audience` is empty, or `lifetime` is not 1 second to 400 days.
    pub fn new(
        keyring: Keyring,
        issuer: impl Into<String>,
        audience: impl Into<String>,
        lifetime: Duration,
    ) -> Result<Self, Error> {
        const LIFETIME: Error =
            Error::InvalidSetting("the token lifetime must be 1 second to 400 days");
        if lifetime > DEFAULT_MAX_LIFETIME || lifetime.as_secs() == 0 {
            return Err(LIFETIME);
        }
        Ok(Self {
            keyring,
            issuer: require_text(issuer.into(), "the issuer must not be empty")?,
            audience: require_text(audience.into(), "the audience must not be empty")?,
            lifetime: i64::try_from(lifetime.as_secs()).map_err(|_too_long| LIFETIME)?,
        })
    }

    /// The lifetime of its tokens in whole seconds (`expires_in`, RFC 6749 § 5.1).
    #[must_use]
    pub const fn lifetime_seconds(&self) -> i64 {
        self.lifetime
    }

    /// Makes a token, valid from `now` for the lifetime, with a fresh `jti` of 128 random bits.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidClaim`] for a subject id, [`Error::TokenTooLong`] for a subject of some 5500 bytes or more, that
    /// every verifier would refuse; [`Error::Crypto`] without random bytes.
    pub fn issue(&self, subject: &Subject<'_>, now: SystemTime) -> Result<AccessToken, Error> {
        self.issue_with_id(subject, jws::random_text::<16>()?, now)
    }

    /// As [`issue`](Self::issue), with a `jti` of the caller's making: the same subject, id, second and secret give
    /// the same token. The caller sees to it that no two different tokens share an id (RFC 7519 § 4.1.7).
    ///
    /// # Errors
    ///
    /// As [`issue`](Self::issue).
    pub fn issue_with_id(
        &self,
        subject: &Subject<'_>,
        id: String,
        now: SystemTime,
    ) -> Result<AccessToken, Error> {
        self.issue_claims(subject, id, now, i64::MAX)
    }

    /// As [`issue_with_id`](Self::issue_with_id) and [`issue_until`](Self::issue_until) together: the same subject, id,
    /// second, `latest` and secret give the same token.
    ///
    /// # Errors
    ///
    /// As [`issue_until`](Self::issue_until).
    pub fn issue_with_id_until(
        &self,
        subject: &Subject<'_>,
        id: String,
        latest: i64,
        now: SystemTime,
    ) -> Result<AccessToken, Error> {
        self.issue_claims(subject, id, now, latest)
    }

    /// As [`issue`](Self::issue), but the token expires at `latest` (seconds since 1970) if its lifetime would end
    /// later: a token that is exchanged for another must not live on in it (RFC 8693 § 2.2.1).
    ///
    /// # Errors
    ///
    /// [`Error::Expired`] if `latest` has come already; else as [`issue`](Self::issue).
    pub fn issue_until(
        &self,
        subject: &Subject<'_>,
        latest: i64,
        now: SystemTime,
    ) -> Result<AccessToken, Error> {
        self.issue_claims(subject, jws::random_text::<16>()?, now, latest)
    }

    fn issue_claims(
        &self,
        subject: &Subject<'_>,
        id: String,
        now: SystemTime,
        latest: i64,
    ) -> Result<AccessToken, Error> {
        check_sub(subject.id)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a clock within 2^53 s of 1970"
        )]
        let iat = seconds(now).floor() as i64;
        let exp = iat.saturating_add(self.lifetime).min(latest);
        if exp <= iat {
            return Err(Error::Expired);
        }
        let claims = Claims {
            sub: subject.id.to_owned(),
            email: subject.email.to_owned(),
            sid: subject.session_id.to_owned(),
            jti: id,
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
        };
        let payload = serde_json::to_vec(&payload).map_err(|_impossible| Error::Crypto)?;
        Ok(self.keyring.current().sign(&payload))
    }
}
