//! Issues access tokens.

mod builder;

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::claims::{DEFAULT_MAX_LIFETIME, require_nonempty};
use crate::{Claims, Error, Subject, TokenSigner};
pub use builder::TokenBuilder;

/// Issues access tokens: JWTs of type `at+jwt`, signed with the current secret of a [`Keyring`](crate::Keyring) (HS256)
/// or, with the feature `public-key`, with a private key (EdDSA or ES256).
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
    /// The claims of the token, as a verifier returns them, but without custom claims.
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

impl TokenIssuer {
    /// Creates an issuer that signs with this keyring or key. Its tokens have this `iss`, this `aud` unless
    /// [`TokenBuilder::with_audience`] sets another, and an `exp` of at most `iat + lifetime`. The lifetime is rounded
    /// down to whole seconds.
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

    /// Returns the `iss` and the default `aud` of the tokens.
    #[cfg(all(feature = "public-key", feature = "testing"))]
    pub(crate) fn issuer_and_audience(&self) -> (&str, &str) {
        (&self.issuer, &self.audience)
    }

    /// Returns a builder of a token for a user. Without further calls, its [`issue`](TokenBuilder::issue) does the
    /// same as [`TokenIssuer::issue`].
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # use auth_core::{Error, Keyring, Secret};
    /// use auth_core::{Roles, Scope, Subject, TokenIssuer};
    ///
    /// # let keyring = Keyring::new(Secret::generate()?);
    /// # let issuer = TokenIssuer::new(keyring, "api-server", "api", Duration::from_secs(900))?;
    /// let ada = Subject {
    ///     id: "42",
    ///     email: "ada@example.com",
    ///     email_verified: Some(true),
    ///     session_id: "7",
    /// };
    /// let roles = Roles::new(["editor"])?;
    /// let scope = Scope::new("tasks:read")?;
    /// let token = issuer
    ///     .token_for(&ada)
    ///     .with_roles(&roles)
    ///     .with_scope(&scope)
    ///     .issue(SystemTime::now())?;
    /// assert!(token.claims.has_role("editor") && !token.claims.has_scope("tasks:write"));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn token_for<'a>(&'a self, subject: &Subject<'a>) -> TokenBuilder<'a> {
        TokenBuilder::for_user(self, *subject)
    }

    /// Returns a builder of a token for a machine with this `sub`: a token without `email` and `sid`. Only a verifier
    /// [with optional `email`](crate::TokenVerifier::with_optional_email) and
    /// [`sid`](crate::TokenVerifier::with_optional_sid) accepts it.
    pub const fn token_for_machine<'a>(&'a self, id: &'a str) -> TokenBuilder<'a> {
        TokenBuilder::for_machine(self, id)
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
        self.token_for(subject).issue(now)
    }

    /// Does the same as [`issue`](Self::issue), with the given `jti`. From the same subject, `jti` and `now` (in whole
    /// seconds), issuers with equal settings and the same current secret or private key produce the same token. Two
    /// different tokens must not have the same `jti` (RFC 7519 § 4.1.7).
    ///
    /// # Errors
    ///
    /// The errors of [`issue`](Self::issue).
    pub fn issue_with_id(
        &self,
        subject: &Subject<'_>,
        jti: String,
        now: SystemTime,
    ) -> Result<AccessToken, Error> {
        self.token_for(subject).with_jti(jti).issue(now)
    }

    /// Does the same as [`issue_with_id`](Self::issue_with_id), but with an `exp` of at most `max_exp` (seconds since
    /// 1970).
    ///
    /// # Errors
    ///
    /// The errors of [`issue_until`](Self::issue_until).
    pub fn issue_with_id_until(
        &self,
        subject: &Subject<'_>,
        jti: String,
        max_exp: i64,
        now: SystemTime,
    ) -> Result<AccessToken, Error> {
        let builder = self.token_for(subject).with_jti(jti);
        builder.with_max_exp(max_exp).issue(now)
    }

    /// Does the same as [`issue`](Self::issue), but with an `exp` of at most `max_exp` (seconds since 1970). For
    /// example, the token that a token exchange (RFC 8693) returns must not outlive the token of the request.
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
        self.token_for(subject).with_max_exp(max_exp).issue(now)
    }
}
