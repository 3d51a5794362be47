//! Stores which access tokens are revoked or stale although they have not expired.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

mod bloom_filter;
mod expiring_map;
mod feed_credential;
mod feed_token;
#[cfg(feature = "remote")]
mod freshness;

use crate::{Claims, Error};
use expiring_map::ExpiringMap;
pub use feed_credential::{FeedCredential, FeedSigner};
pub use feed_token::FeedTokens;
#[cfg(feature = "remote")]
pub use freshness::StalePolicy;
#[cfg(feature = "remote")]
pub(crate) use freshness::{Freshness, RevocationSource};

/// Revoked sessions, tokens and subjects, and users whose older tokens are stale, in memory. A
/// [`TokenVerifier`](crate::TokenVerifier) consults them. Clones share one set.
///
/// The empty set takes 128 KiB. The first token, the first subject and the first stale user each take 128 KiB more.
/// From 100 entries on, an entry takes at most 40 bytes, or 64 bytes for a stale user, until [`purge`](Self::purge)
/// removes it. The set stores a 64-bit hash of the id (SipHash-1-3) with a random key, so no attacker can prepare
/// collisions. With 100 000 revoked sessions, about one in 10^14 active sessions is mistaken for revoked.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use auth_core::Revocations;
///
/// let revocations = Revocations::default();
/// revocations.revoke_session("session-7", SystemTime::now() + Duration::from_secs(900));
/// assert!(revocations.has_session("session-7"));
/// assert!(!revocations.has_session("session-8"));
/// ```
#[derive(Clone, Default)]
pub struct Revocations(Arc<Inner>);

/// The maps from the hash of an id. A map other than `sessions` is empty in most services, so it is created by its
/// first entry. Until then a verification does not compute the hash for it.
#[derive(Default)]
struct Inner {
    random_state: RandomState,
    sessions: ExpiringMap<()>,
    tokens: OnceLock<ExpiringMap<()>>,
    subjects: OnceLock<ExpiringMap<()>>,
    /// The least `claims_version` of the tokens that are not stale.
    versions: OnceLock<ExpiringMap<u64>>,
    /// All tokens issued before this time, in seconds since 1970, are revoked; 0 for none.
    issued_before: AtomicI64,
}

/// The claims by which a token can be revoked or stale.
pub(crate) struct RevocationClaims<'a> {
    pub(crate) sub: &'a str,
    pub(crate) sid: Option<&'a str>,
    pub(crate) jti: &'a str,
    pub(crate) claims_version: u64,
    /// In seconds since 1970.
    pub(crate) iat: i64,
}

impl Revocations {
    /// Revokes a session: all tokens with this `sid`. After `until`, [`purge`](Self::purge) removes the entry: choose
    /// the expiry of the last access token plus an allowance for clock differences. If the session is in the set
    /// already, the later `until` applies.
    pub fn revoke_session(&self, sid: &str, until: SystemTime) {
        self.0.sessions.insert(self.hash(sid), (), until);
    }

    /// Revokes one token: the one with this `jti`. `until` as for [`revoke_session`](Self::revoke_session).
    pub fn revoke_token(&self, jti: &str, until: SystemTime) {
        let tokens = self.0.tokens.get_or_init(ExpiringMap::default);
        tokens.insert(self.hash(jti), (), until);
    }

    /// Revokes all tokens with this `sub`, also those that are issued later, for example to block a machine. `until` as
    /// for [`revoke_session`](Self::revoke_session).
    pub fn revoke_subject(&self, sub: &str, until: SystemTime) {
        let subjects = self.0.subjects.get_or_init(ExpiringMap::default);
        subjects.insert(self.hash(sub), (), until);
    }

    /// Makes a token with this `sub` stale if its `claims_version` is below `version`; a token without this claim has
    /// version 0. A verifier rejects a stale token with [`Error::Stale`], and the client refreshes it. `until` as for
    /// [`revoke_session`](Self::revoke_session). If the user is in the set already, the higher version and the later
    /// `until` apply.
    ///
    /// The issuer numbers the states of a user's roles and other claims. The transaction that changes them adds one to
    /// the number, and a token gets the number that was read together with its claims
    /// ([`with_claims_version`](crate::TokenBuilder::with_claims_version)). So exactly the tokens with old claims are
    /// stale, whatever the difference between the clocks, even if a token was issued in the second of the change: `iat`
    /// is not compared. The token of a refresh after the change is not stale.
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # use auth_core::{Error, Keyring, Revocations, Roles, Secret, Subject, TokenIssuer, TokenVerifier};
    /// # let keyring = Keyring::new(Secret::generate()?);
    /// # let issuer = TokenIssuer::new(keyring.clone(), "api-server", "api", Duration::from_secs(900))?;
    /// # let verifier = TokenVerifier::new(keyring, "api-server", "api")?;
    /// # let ada = Subject { id: "42", email: "ada@example.com", email_verified: Some(true), session_id: "7" };
    /// let now = SystemTime::now();
    /// let editor = Roles::new(["editor"])?;
    /// let old = issuer.token_for(&ada).with_roles(&editor).with_claims_version(4).issue(now)?;
    ///
    /// // The role is removed, which makes version 5.
    /// let revocations = Revocations::default();
    /// revocations.mark_stale("42", 5, now + Duration::from_secs(900));
    /// let refreshed = issuer.token_for(&ada).with_claims_version(5).issue(now)?;
    ///
    /// let verifier = verifier.with_revocations(revocations);
    /// assert_eq!(verifier.verify(&old.token, now), Err(Error::Stale));
    /// assert!(verifier.verify(&refreshed.token, now).is_ok());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn mark_stale(&self, sub: &str, version: u64, until: SystemTime) {
        let versions = self.0.versions.get_or_init(ExpiringMap::default);
        versions.insert(self.hash(sub), version, until);
    }

    /// Returns whether the session is revoked. Allocates nothing. With 100 000 revoked sessions, about nine in ten
    /// lookups of active sessions take no lock.
    #[must_use]
    pub fn has_session(&self, sid: &str) -> bool {
        self.0.sessions.get(self.hash(sid)).is_some()
    }

    /// Checks the claims of a verified token. A [`TokenVerifier`](crate::TokenVerifier) does this itself. Allocates
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Revoked`] if the token is revoked by its session, its id, its subject or its time of issue; otherwise
    /// [`Error::Stale`] if it is stale.
    pub fn check(&self, claims: &Claims) -> Result<(), Error> {
        self.check_claims(&RevocationClaims {
            sub: &claims.sub,
            sid: claims.sid.as_deref(),
            jti: &claims.jti,
            claims_version: claims.claims_version,
            iat: claims.iat,
        })
    }

    /// Does the same as [`check`](Self::check) for borrowed claims, so that the verifier can reject a token before it
    /// copies the claims.
    pub(crate) fn check_claims(&self, claims: &RevocationClaims<'_>) -> Result<(), Error> {
        let contains = |map: &ExpiringMap<()>, id| map.get(self.hash(id)).is_some();
        let is_revoked = self.revokes_issued_at(claims.iat)
            || claims.sid.is_some_and(|sid| self.has_session(sid))
            || self
                .0
                .tokens
                .get()
                .is_some_and(|map| contains(map, claims.jti))
            || self
                .0
                .subjects
                .get()
                .is_some_and(|map| contains(map, claims.sub));
        if is_revoked {
            return Err(Error::Revoked);
        }
        let least_version = |map: &ExpiringMap<u64>| map.get(self.hash(claims.sub));
        match self.0.versions.get().and_then(least_version) {
            Some(version) if claims.claims_version < version => Err(Error::Stale),
            _ => Ok(()),
        }
    }

    /// Also revokes all tokens that were issued before `time`, for example because the database was restored from a
    /// backup, which does not know which sessions have ended since. Changes nothing if an earlier call had the same or
    /// a later `time`. Otherwise also removes the stale users: a restored database may have lower versions.
    pub fn revoke_issued_before(&self, time: SystemTime) {
        // A token of the second in which `time` lies may have been issued before `time`.
        let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let seconds = since_1970.as_secs() + u64::from(since_1970.subsec_nanos() > 0);
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        if self.0.issued_before.fetch_max(seconds, Ordering::AcqRel) < seconds {
            self.clear_stale();
        }
    }

    /// Returns whether [`revoke_issued_before`](Self::revoke_issued_before) has revoked the tokens with this `iat`.
    #[must_use]
    pub fn revokes_issued_at(&self, iat: i64) -> bool {
        iat < self.0.issued_before.load(Ordering::Acquire)
    }

    /// Removes the entries whose `until` has passed and frees their memory. Call this regularly, such as every minute.
    pub fn purge(&self, now: SystemTime) {
        self.0.sessions.purge(now);
        for map in [&self.0.tokens, &self.0.subjects] {
            map.get().map(|map| map.purge(now)).unwrap_or_default();
        }
        let versions = self.0.versions.get();
        versions.map(|map| map.purge(now)).unwrap_or_default();
    }

    /// Removes the stale users. Call this after the database of the issuer was restored from a backup: the users may
    /// have lower versions since then, so their new tokens would be stale until the old entries are removed.
    pub fn clear_stale(&self) {
        let versions = self.0.versions.get();
        versions.map(ExpiringMap::clear).unwrap_or_default();
    }

    /// Returns the number of entries of all kinds.
    #[must_use]
    pub fn len(&self) -> usize {
        let counts = [
            self.0.sessions.len(),
            self.0.tokens.get().map_or(0, ExpiringMap::len),
            self.0.subjects.get().map_or(0, ExpiringMap::len),
            self.0.versions.get().map_or(0, ExpiringMap::len),
        ];
        counts.into_iter().sum()
    }

    /// Returns whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn hash(&self, id: &str) -> u64 {
        self.0.random_state.hash_one(id)
    }
}

/// Shows the number of entries only.
impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revocations({})", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Revocations;
    use std::time::{Duration, UNIX_EPOCH};

    fn unix_time(seconds: u64) -> std::time::SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn tokens_of_the_second_of_a_restore_and_of_earlier_seconds_are_revoked() {
        let revoked = Revocations::default();
        assert!(!revoked.revokes_issued_at(0));
        for (time, last_revoked) in [
            (unix_time(100), 99),
            (unix_time(100) + Duration::from_nanos(1), 100),
            (unix_time(101), 100),
            (unix_time(50), 100),
        ] {
            revoked.clone().revoke_issued_before(time);
            let is_revoked =
                [-1, 0, 1].map(|offset| revoked.revokes_issued_at(last_revoked + offset));
            assert_eq!(is_revoked, [true, true, false], "{time:?}");
        }
        revoked.purge(unix_time(1_000_000));
        assert!(revoked.revokes_issued_at(100), "purged");
    }

    #[test]
    fn a_restore_removes_the_stale_users_once() {
        let revocations = Revocations::default();
        revocations.mark_stale("ada", 5, unix_time(1000));
        revocations.revoke_issued_before(unix_time(100));
        assert!(revocations.is_empty());
        revocations.mark_stale("ada", 2, unix_time(1000));
        revocations.revoke_issued_before(unix_time(100));
        assert_eq!(revocations.len(), 1);
    }
}
