//! Text and a clock in, claims out; strict.

use std::time::{Duration, SystemTime};

use crate::claims::{self, Expiry, Policy, seconds};
use crate::jws::Jws;
#[cfg(feature = "remote")]
use crate::remote::{Freshness, RevocationFeed, WhenSilent};
use crate::{ACCESS_TOKEN_TYPE, Claims, Error, Keyring, RevokedSessions};

const DEFAULT_LEEWAY: Duration = Duration::from_secs(5);
const MAX_LEEWAY: Duration = Duration::from_secs(300);
pub(crate) const DEFAULT_MAX_LIFETIME: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Verifies access tokens against a keyring, one issuer and one audience; it cannot be built without them.
///
/// Accepted is only a token that is at most 8192 bytes, three strict base64url parts, an `HS256` `at+jwt` header
/// without duplicates, `crit`, `b64` or `zip`, a matching MAC, and an object with `iss`, `aud`, `sub`, `email`,
/// `iat`, `exp`, `jti` and `sid`, each once, of the right type and within its bounds (RFC 7515, 7519, 8725; the list is
/// in the [crate documentation](crate#what-is-checked)). No database, no network, no clock of its own; nothing
/// is allocated but the strings of the claims.
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
/// let subject = Subject { id: "42", email: "ada@example.com", session_id: "7" };
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
    /// A verifier with a leeway of 5 seconds and a lifetime ceiling of 400 days.
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
                issuer: require_text(issuer.into(), "the issuer must not be empty")?,
                audience: require_text(audience.into(), "the audience must not be empty")?,
                leeway: DEFAULT_LEEWAY.as_secs_f64(),
                max_lifetime: DEFAULT_MAX_LIFETIME.as_secs_f64(),
            },
            revoked: None,
            #[cfg(feature = "remote")]
            freshness: None,
        })
    }

    /// How far the issuer's clock and ours may differ (RFC 7519 § 4.1.4). Defaults to 5 seconds.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] above 300 seconds.
    pub fn with_leeway(mut self, leeway: Duration) -> Result<Self, Error> {
        if leeway > MAX_LEEWAY {
            return Err(Error::InvalidSetting(
                "the leeway must be at most 300 seconds",
            ));
        }
        self.policy.leeway = leeway.as_secs_f64();
        Ok(self)
    }

    /// The largest `exp - iat` that is accepted. Defaults to 400 days.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for zero.
    pub fn with_max_lifetime(mut self, ceiling: Duration) -> Result<Self, Error> {
        if ceiling.is_zero() {
            return Err(Error::InvalidSetting(
                "the lifetime ceiling must be above zero",
            ));
        }
        self.policy.max_lifetime = ceiling.as_secs_f64();
        Ok(self)
    }

    /// Refuses tokens of the sessions in `revoked`, which somebody else keeps up to date. Defaults to none.
    #[must_use]
    pub fn with_revoked(mut self, revoked: RevokedSessions) -> Self {
        self.revoked = Some(revoked);
        self
    }

    /// Refuses tokens of the sessions that the feed reports as ended; `when_silent` says what to do when it has not heard
    /// from the server.
    #[cfg(feature = "remote")]
    #[must_use]
    pub fn with_feed(mut self, feed: &RevocationFeed, when_silent: WhenSilent) -> Self {
        self.freshness = Some(Freshness::new(feed, when_silent));
        self.with_revoked(feed.revoked())
    }

    /// The claims of `token`, if everything about it is good at the time `now`.
    ///
    /// # Errors
    ///
    /// The first thing that was wrong; each is a 401. [`Error::Expired`] and [`Error::Revoked`] mean that all else was
    /// good.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Claims, Error> {
        let claims = self.read(token, now, Expiry::Enforced)?;
        #[cfg(feature = "remote")]
        if let Some(freshness) = &self.freshness {
            freshness.require()?;
        }
        match &self.revoked {
            Some(revoked) if revoked.contains(&claims.sid) => Err(Error::Revoked),
            _ => Ok(claims),
        }
    }

    /// As [`verify`](Self::verify), but takes an expired token and one of an ended session: to log out with, for
    /// nothing else.
    ///
    /// # Errors
    ///
    /// Everything else that was wrong.
    pub fn verify_for_logout(&self, token: &str, now: SystemTime) -> Result<Claims, Error> {
        self.read(token, now, Expiry::Ignored)
    }

    fn read(&self, token: &str, now: SystemTime, expiry: Expiry) -> Result<Claims, Error> {
        let jws = Jws::split(token)?;
        jws.authenticate(&self.keyring, Some(ACCESS_TOKEN_TYPE))?;
        jws.with_payload(|payload| claims::read(payload, &self.policy, seconds(now), expiry))
    }
}

pub(crate) fn require_text(text: String, otherwise: &'static str) -> Result<String, Error> {
    if text.is_empty() {
        return Err(Error::InvalidSetting(otherwise));
    }
    Ok(text)
}
