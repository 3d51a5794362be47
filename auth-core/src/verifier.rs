//! Verifies access tokens.

use std::time::{Duration, SystemTime};

use crate::claims::{self, DEFAULT_MAX_LIFETIME, Expiry, Policy, require_nonempty, unix_seconds};
use crate::jws::Jws;
#[cfg(feature = "remote")]
use crate::revocation::Freshness;
use crate::{ACCESS_TOKEN_TYPE, Claims, Error, Keyring, RevokedSessions};

const DEFAULT_LEEWAY: Duration = Duration::from_secs(5);
const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// Verifies access tokens against a keyring, one issuer and one audience. All three are required.
///
/// A verifier accepts a token of at most 8192 bytes that has three strict base64url parts, an `HS256` `at+jwt` header
/// without duplicate names, `crit`, `b64` or `zip`, a matching MAC, and a JSON object with `iss`, `aud`, `sub`,
/// `email`, `iat`, `exp`, `jti` and `sid`, each exactly once, of the right type and within its bounds (RFC 7515, 7519,
/// 8725). The [crate documentation](crate#what-is-checked) lists every rule.
///
/// [`verify`](Self::verify) uses no database and no network, and the caller passes the time. For a typical token of a
/// [`TokenIssuer`](crate::TokenIssuer), `verify` allocates only the strings of the claims. A verifier is `Send` and
/// `Sync`: share one verifier among all threads.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use auth_core::{Error, Keyring, Secret, Subject, TokenIssuer, TokenVerifier};
///
/// let keyring = Keyring::new(Secret::generate()?);
/// let issuer = TokenIssuer::new(keyring.clone(), "api-server", "api", Duration::from_secs(900))?;
/// let verifier = TokenVerifier::new(keyring, "api-server", "api")?;
///
/// let now = SystemTime::now();
/// let subject = Subject {
///     id: "42",
///     email: "ada@example.com",
///     email_verified: Some(true),
///     session_id: "7",
/// };
/// let token = issuer.issue(&subject, now)?.token;
/// assert_eq!(verifier.verify(&token, now)?.sub, "42");
/// assert_eq!(verifier.verify(&token, now + Duration::from_secs(905)), Err(Error::Expired));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TokenVerifier {
    keyring: Keyring,
    policy: Policy,
    revoked: Option<RevokedSessions>,
    #[cfg(feature = "remote")]
    freshness: Option<Freshness>,
}

impl TokenVerifier {
    /// Creates a verifier with a leeway of 5 seconds and a maximum lifetime of 400 days.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if `issuer` or `audience` is empty.
    pub fn new(
        keyring: Keyring,
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Result<Self, Error> {
        Ok(Self {
            keyring,
            policy: Policy {
                issuer: require_nonempty(issuer.into(), "the issuer must not be empty")?,
                audience: require_nonempty(audience.into(), "the audience must not be empty")?,
                leeway: DEFAULT_LEEWAY.as_secs_f64(),
                max_lifetime: DEFAULT_MAX_LIFETIME.as_secs_f64(),
            },
            revoked: None,
            #[cfg(feature = "remote")]
            freshness: None,
        })
    }

    /// Sets how far the issuer's clock and the `now` of [`verify`](Self::verify) may differ (RFC 7519 § 4.1.4).
    /// Defaults to 5 seconds.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for more than 300 seconds.
    pub fn with_leeway(mut self, leeway: Duration) -> Result<Self, Error> {
        if leeway > MAX_LEEWAY {
            return Err(Error::InvalidSetting(
                "the leeway must be at most 300 seconds",
            ));
        }
        self.policy.leeway = leeway.as_secs_f64();
        Ok(self)
    }

    /// Sets the largest accepted `exp - iat`. Defaults to 400 days.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for zero.
    pub fn with_max_lifetime(mut self, max_lifetime: Duration) -> Result<Self, Error> {
        if max_lifetime.is_zero() {
            return Err(Error::InvalidSetting(
                "the lifetime ceiling must be above zero",
            ));
        }
        self.policy.max_lifetime = max_lifetime.as_secs_f64();
        Ok(self)
    }

    /// Rejects tokens of the sessions in `revoked`, and tokens that were issued before its
    /// [`revoke_issued_before`](RevokedSessions::revoke_issued_before). Other code keeps it up to date. Defaults to no
    /// set.
    #[must_use]
    pub fn with_revoked(mut self, revoked: RevokedSessions) -> Self {
        self.revoked = Some(revoked);
        self
    }

    /// As [`with_revoked`](Self::with_revoked), but rejects every token while the set is too old for `freshness`.
    #[cfg(feature = "remote")]
    pub(crate) fn with_fresh_revoked(
        mut self,
        revoked: RevokedSessions,
        freshness: Freshness,
    ) -> Self {
        self.freshness = Some(freshness);
        self.with_revoked(revoked)
    }

    /// Verifies `token` at the time `now` and returns its claims.
    ///
    /// # Errors
    ///
    /// An error of status 401 for a rule that the token breaks. [`Error::Revoked`] means that the token is otherwise
    /// valid, [`Error::Expired`] that its MAC and its other claims are valid. [`Error::RevocationsOutdated`] (503) if a
    /// feed of revocations with the policy `FailClosedAfter` is too old or was never up to date.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Claims, Error> {
        let claims = self.parse(token, now, Expiry::Enforced)?;
        #[cfg(feature = "remote")]
        if let Some(freshness) = &self.freshness {
            freshness.check()?;
        }
        match &self.revoked {
            Some(revoked)
                if revoked.revokes_issued_at(claims.iat) || revoked.contains(&claims.sid) =>
            {
                Err(Error::Revoked)
            }
            _ => Ok(claims),
        }
    }

    /// As [`verify`](Self::verify), but accepts expired tokens and tokens of revoked sessions. For logout only.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify), except [`Error::Expired`], [`Error::Revoked`] and [`Error::RevocationsOutdated`].
    pub fn verify_for_logout(&self, token: &str, now: SystemTime) -> Result<Claims, Error> {
        self.parse(token, now, Expiry::Ignored)
    }

    fn parse(&self, token: &str, now: SystemTime, expiry: Expiry) -> Result<Claims, Error> {
        let jws = Jws::split(token)?;
        jws.verify(&self.keyring, Some(ACCESS_TOKEN_TYPE))?;
        let now_seconds = unix_seconds(now);
        jws.with_payload(|payload| claims::parse(payload, &self.policy, now_seconds, expiry))
    }
}
