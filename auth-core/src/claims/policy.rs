//! Defines the rules of a verifier for the claims, and checks the time claims.

use std::time::Duration;

use crate::Error;

/// The largest `exp - iat` that a verifier accepts by default, and the longest lifetime that
/// [`TokenIssuer::new`](crate::TokenIssuer::new) accepts: 400 days.
pub(crate) const DEFAULT_MAX_LIFETIME: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// The rules of a verifier for the claims.
#[derive(Debug, Clone)]
pub(crate) struct ClaimRules {
    /// The required `iss`.
    pub(crate) issuer: String,
    /// The audience that `aud` must equal or contain.
    pub(crate) audience: String,
    /// Other audiences, one of which `aud` may equal or contain instead.
    pub(crate) other_audiences: Vec<String>,
    /// The allowed difference between the clocks of issuer and verifier, in seconds.
    pub(crate) leeway: f64,
    /// The largest accepted `exp - iat`, in seconds.
    pub(crate) max_lifetime: f64,
    /// The claims without which a token is rejected.
    pub(crate) required: RequiredClaims,
    /// Whether the claims have a copy of the payload, for custom claims.
    pub(crate) keeps_payload: bool,
}

/// For each claim that a verifier can make optional: whether a token without it is rejected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequiredClaims {
    pub(crate) email: bool,
    pub(crate) sid: bool,
    pub(crate) jti: bool,
}

impl Default for RequiredClaims {
    fn default() -> Self {
        Self {
            email: true,
            sid: true,
            jti: true,
        }
    }
}

/// Whether an expired token is rejected.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    Enforced,
    Ignored,
}

/// `iat`, `exp` and `nbf` as in the token: seconds since 1970, which may have fractions.
pub(crate) struct Times {
    pub(crate) iat: f64,
    pub(crate) exp: f64,
    pub(crate) nbf: Option<f64>,
}

impl ClaimRules {
    /// Returns whether a token for this audience is accepted.
    pub(crate) fn accepts_audience(&self, audience: &str) -> bool {
        audience == self.audience || self.is_other_audience(audience)
    }

    // Cold, because most verifiers accept only one audience.
    #[cold]
    fn is_other_audience(&self, audience: &str) -> bool {
        self.other_audiences.iter().any(|other| other == audience)
    }

    /// Checks the time claims (RFC 7519 § 4.1.4 to § 4.1.6). `exp` is compared with the current time last, so
    /// [`Error::Expired`] means that the other rules for the time claims are met.
    pub(crate) fn check_times(&self, times: &Times, now_seconds: f64) -> Result<(), Error> {
        if times.exp - times.iat > self.max_lifetime {
            return Err(Error::InvalidClaim("exp"));
        }
        let latest_start = now_seconds + self.leeway;
        if times.iat > latest_start || times.nbf.is_some_and(|nbf| nbf > latest_start) {
            return Err(Error::NotYetValid);
        }
        if now_seconds >= times.exp + self.leeway {
            return Err(Error::Expired);
        }
        Ok(())
    }
}
