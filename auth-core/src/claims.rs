//! The claims of an access token and what makes them valid.

mod parse;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Error;
pub(crate) use parse::read;

/// Whom a token is issued to: the input of [`TokenIssuer::issue`](crate::TokenIssuer::issue).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "callers build it; a new member is a new contract"
)]
pub struct Subject<'a> {
    /// `sub`: the user's id. Not empty, no surrounding white space.
    pub id: &'a str,
    /// `email`: the user's address.
    pub email: &'a str,
    /// `sid`: the session (login) the token belongs to.
    pub session_id: &'a str,
}

/// The claims of a verified access token (RFC 7519 § 4.1, modelled on RFC 9068 § 2.2).
///
/// `iss` and `aud` are not repeated: they are the verifier's own, or the token would have been refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// The user's id: not empty, no surrounding white space.
    pub sub: String,
    /// The user's address, as the issuer wrote it.
    pub email: String,
    /// The session (login) the token belongs to.
    pub sid: String,
    /// Unique per token.
    pub jti: String,
    /// Issued at: whole seconds since 1970-01-01T00:00:00Z (a fraction is dropped).
    pub iat: i64,
    /// Expires at: whole seconds since 1970-01-01T00:00:00Z (a fraction is dropped).
    pub exp: i64,
}

impl Claims {
    /// `exp` as a point in time; 1970 if it lies before, or beyond what the platform's clock can express.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        let since = Duration::from_secs(u64::try_from(self.exp).unwrap_or(0));
        UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
    }
}

/// What a verifier insists on.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    /// Seconds.
    pub(crate) leeway: f64,
    /// Seconds.
    pub(crate) max_lifetime: f64,
}

/// Whether an expired token is still good for something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expiry {
    Enforced,
    Ignored,
}

/// `iat`, `exp` and `nbf` as they came, in seconds, fractions included.
pub(crate) struct Times {
    pub(crate) iat: f64,
    pub(crate) exp: f64,
    pub(crate) nbf: Option<f64>,
}

impl Policy {
    /// RFC 7519 § 4.1.4 to § 4.1.6. Expiry comes last, so that [`Error::Expired`] means "good but for its age".
    pub(crate) fn check_times(&self, times: &Times, now: f64) -> Result<(), Error> {
        if times.exp - times.iat > self.max_lifetime {
            return Err(Error::InvalidClaim("exp"));
        }
        let latest = now + self.leeway;
        if times.iat > latest || times.nbf.is_some_and(|nbf| nbf > latest) {
            return Err(Error::NotYetValid);
        }
        if now >= times.exp + self.leeway {
            return Err(Error::Expired);
        }
        Ok(())
    }
}

/// A user id that both sides accept: not empty and without surrounding white space.
pub(crate) fn check_sub(sub: &str) -> Result<(), Error> {
    if sub.is_empty() || sub.trim() != sub {
        return Err(Error::InvalidClaim("sub"));
    }
    Ok(())
}

/// Seconds since 1970, negative before.
pub(crate) fn seconds(time: SystemTime) -> f64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}
