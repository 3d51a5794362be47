//! Verifies access tokens.

mod other_issuers;

use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;

use crate::claims::{
    self, ClaimRules, DEFAULT_MAX_LIFETIME, Expiry, RequiredClaims, read_custom, require_nonempty,
    unix_seconds,
};
use crate::jws::Jws;
#[cfg(feature = "remote")]
use crate::revocation::Freshness;
use crate::revocation::RevocationClaims;
use crate::token_type::TokenTypes;
use crate::{Claims, Error, Revocations, VerificationKeys};

const DEFAULT_LEEWAY: Duration = Duration::from_secs(5);
const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// Verifies access tokens against keys, one issuer and one audience. All three are required. The keys are the secrets
/// of a [`Keyring`](crate::Keyring) or, with the feature `public-key`, public keys.
///
/// With the default settings, a verifier accepts a token of at most 8192 bytes in three strict base64url parts: a
/// header of type `at+jwt` with the algorithm of the key (`HS256` for secrets), without duplicate names and without
/// `crit`, `b64` and `zip`; a JSON object with `iss`, `aud`, `sub`, `email`, `iat`, `exp`, `jti` and `sid`, each
/// exactly once, of the right type and within its bounds; and a matching MAC or signature (RFC 7515, 7519, 8725). The
/// [crate documentation](crate#what-is-checked) lists every rule.
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
    keys: VerificationKeys,
    types: TokenTypes,
    policy: ClaimRules,
    revocations: Option<Revocations>,
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
        keys: impl Into<VerificationKeys>,
        issuer: impl Into<String>,
        audience: impl Into<String>,
    ) -> Result<Self, Error> {
        Ok(Self {
            keys: keys.into(),
            types: TokenTypes::default(),
            policy: ClaimRules {
                issuer: require_nonempty(issuer.into(), "the issuer must not be empty")?,
                audience: require_nonempty(audience.into(), "the audience must not be empty")?,
                leeway: DEFAULT_LEEWAY.as_secs_f64(),
                max_lifetime: DEFAULT_MAX_LIFETIME.as_secs_f64(),
                other_audiences: Vec::new(),
                required: RequiredClaims::default(),
                keeps_payload: false,
            },
            revocations: None,
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

    /// Accepts tokens without `email`, such as those of machines and of other issuers. By default, `email` is required.
    #[must_use]
    pub const fn with_optional_email(mut self) -> Self {
        self.policy.required.email = false;
        self
    }

    /// Accepts tokens without `sid`, such as those of machines and of other issuers. By default, `sid` is required,
    /// because the revocation of a session does not reach a token that names no session. Such a token can be revoked by
    /// its [`jti`](Revocations::revoke_token) or its [`sub`](Revocations::revoke_subject).
    #[must_use]
    pub const fn with_optional_sid(mut self) -> Self {
        self.policy.required.sid = false;
        self
    }

    /// Keeps a copy of the payload of each accepted token that has custom claims, for [`Claims::custom`] and
    /// [`Caller::custom`](crate::Caller::custom). The copy is one allocation. By default, nothing is kept.
    #[must_use]
    pub const fn with_custom_claims(mut self) -> Self {
        self.policy.keeps_payload = true;
        self
    }

    /// Rejects the tokens that are revoked or stale according to `revocations`. The verifier only reads the set: other
    /// code must keep it up to date. By default, no token is revoked or stale. Replaces an earlier set and an earlier
    /// feed with its policy.
    #[must_use]
    pub fn with_revocations(mut self, revocations: Revocations) -> Self {
        self.revocations = Some(revocations);
        #[cfg(feature = "remote")]
        {
            self.freshness = None;
        }
        self
    }

    /// Does the same as [`with_revocations`](Self::with_revocations), but rejects every token while the set is too old
    /// for `freshness`.
    #[cfg(feature = "remote")]
    pub(crate) fn with_fresh_revocations(
        mut self,
        revocations: Revocations,
        freshness: Freshness,
    ) -> Self {
        self = self.with_revocations(revocations);
        self.freshness = Some(freshness);
        self
    }

    /// Returns the secrets and the issuer, with which a service requests the feed of revocations; `None` if there are
    /// only public keys.
    #[cfg(feature = "remote")]
    pub(crate) fn feed_identity(&self) -> Option<(&crate::Keyring, &str)> {
        let secrets = self.keys.secrets()?;
        Some((secrets, &self.policy.issuer))
    }

    /// Verifies `token` at the time `now` and returns its claims.
    ///
    /// # Errors
    ///
    /// An error of status 401 for a rule that the token breaks. [`Error::Revoked`] means that the token is otherwise
    /// valid, and [`Error::Stale`] that it is otherwise valid and not revoked. [`Error::Expired`] means that its MAC or
    /// signature and its other claims are valid. [`Error::RevocationsOutdated`] (503) if a feed of revocations with the
    /// policy `FailClosedAfter` is too old or was never up to date. [`Error::KeysUnavailable`] (503) if the keys of the
    /// issuer are too old or were never received.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Claims, Error> {
        let jws = self.verify_signature(token)?;
        self.verify_claims(&jws, now)
    }

    /// Does the same as [`verify`](Self::verify), and deserialises the custom claims of the token, as
    /// [`Claims::custom`] describes. Needs no [`with_custom_claims`](Self::with_custom_claims).
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # use auth_core::{CustomClaimsJson, Error, Keyring, Secret, Subject, TokenIssuer, TokenVerifier};
    /// #[derive(serde::Deserialize)]
    /// struct Plan {
    ///     plan: String,
    /// }
    ///
    /// # let keyring = Keyring::new(Secret::generate()?);
    /// # let issuer = TokenIssuer::new(keyring.clone(), "api-server", "api", Duration::from_secs(900))?;
    /// # let ada = Subject { id: "42", email: "ada@example.com", email_verified: Some(true), session_id: "7" };
    /// # let custom = CustomClaimsJson::parse(r#"{"plan":"pro"}"#)?;
    /// # let now = SystemTime::now();
    /// # let token = issuer.token_for(&ada).with_custom_claims(&custom).issue(now)?.token;
    /// # let verifier = TokenVerifier::new(keyring, "api-server", "api")?;
    /// let (claims, Plan { plan }) = verifier.verify_with(&token, now)?;
    /// assert_eq!((&*claims.sub, &*plan), ("42", "pro"));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors of [`verify`](Self::verify), and for an accepted token [`Error::InvalidCustomClaims`] (403) if its
    /// custom claims are not a `T`.
    pub fn verify_with<T: DeserializeOwned>(
        &self,
        token: &str,
        now: SystemTime,
    ) -> Result<(Claims, T), Error> {
        let jws = self.verify_signature(token)?;
        let claims = self.verify_claims(&jws, now)?;
        Ok((claims, jws.with_payload(read_custom)?))
    }

    /// Does the same as [`verify`](Self::verify), but accepts expired, revoked and stale tokens. For logout only.
    ///
    /// # Errors
    ///
    /// The errors of [`verify`](Self::verify), except [`Error::Expired`], [`Error::Revoked`], [`Error::Stale`] and
    /// [`Error::RevocationsOutdated`].
    pub fn verify_for_logout(&self, token: &str, now: SystemTime) -> Result<Claims, Error> {
        let jws = self.verify_signature(token)?;
        let now_seconds = unix_seconds(now);
        jws.with_payload(|payload| {
            claims::parse(
                payload,
                &self.policy,
                now_seconds,
                Expiry::Ignored,
                |_ids| Ok(()),
            )
        })
    }

    /// Splits the token, and verifies its header and its signature.
    fn verify_signature<'t>(&self, token: &'t str) -> Result<Jws<'t>, Error> {
        let jws = Jws::split(token)?;
        self.keys.verify(&jws, self.types)?;
        Ok(jws)
    }

    /// Parses the claims and checks them, also against the revocations.
    fn verify_claims(&self, jws: &Jws<'_>, now: SystemTime) -> Result<Claims, Error> {
        let now_seconds = unix_seconds(now);
        let check_revocation = |claims: &RevocationClaims<'_>| self.check_revocations(claims);
        jws.with_payload(|payload| {
            claims::parse(
                payload,
                &self.policy,
                now_seconds,
                Expiry::Enforced,
                check_revocation,
            )
        })
    }

    fn check_revocations(&self, claims: &RevocationClaims<'_>) -> Result<(), Error> {
        #[cfg(feature = "remote")]
        if let Some(freshness) = &self.freshness {
            freshness.check()?;
        }
        match &self.revocations {
            Some(revocations) => revocations.check_claims(claims),
            None => Ok(()),
        }
    }
}
