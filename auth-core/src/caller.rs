//! Who is calling, as a handler is told.

use crate::{Authority, Claims, Refusal};

/// Who sent the request: what local and delegated verification both know.
///
/// With a feature of a framework's name it is an extractor there. It finds the [`Authority`] in the service's state, or
/// itself if [`RequireCaller`] was there before; where neither is, the answer is 500 and never a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// The user's id: not empty, no surrounding white space.
    pub sub: String,
    /// The user's address, as the issuer wrote it.
    pub email: String,
    /// The session (login) the token belongs to.
    pub sid: String,
    /// When the token expires: whole seconds since 1970-01-01T00:00:00Z.
    pub exp: i64,
}

impl Caller {
    /// A caller, for an [`Authenticate`](crate::Authenticate) of one's own.
    #[must_use]
    pub const fn new(sub: String, email: String, sid: String, exp: i64) -> Self {
        Self {
            sub,
            email,
            sid,
            exp,
        }
    }

    /// The owner rule: what belongs to the user `user_id` is the caller's only if the ids are equal byte for byte.
    ///
    /// # Errors
    ///
    /// [`Refusal::wrong_owner`], a 403, for anybody else.
    pub fn require_owner(&self, user_id: &str) -> Result<(), Refusal> {
        require_owner(&self.sub, user_id)
    }
}

/// The owner rule, where there is no [`Caller`]: `sub` and the id that the address names must be equal byte for byte.
///
/// # Errors
///
/// [`Refusal::wrong_owner`], a 403, if they differ.
pub fn require_owner(sub: &str, user_id: &str) -> Result<(), Refusal> {
    if sub == user_id {
        Ok(())
    } else {
        Err(Refusal::wrong_owner())
    }
}

impl From<Claims> for Caller {
    fn from(claims: Claims) -> Self {
        Self::new(claims.sub, claims.email, claims.sid, claims.exp)
    }
}

/// The caller, if the request carries credentials; bad ones are refused all the same. For routes that work without.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "handlers take it apart")]
pub struct MaybeCaller(pub Option<Caller>);

#[cfg(any(feature = "actix", feature = "axum"))]
impl MaybeCaller {
    pub(crate) fn from_verdict(verdict: Result<Caller, Refusal>) -> Result<Self, Refusal> {
        match verdict {
            Ok(caller) => Ok(Self(Some(caller))),
            Err(refusal) if refusal.code() == "UNAUTHORIZED" => Ok(Self(None)),
            Err(refusal) => Err(refusal),
        }
    }
}

/// The caller, on a route whose `{user_id}` is the caller's own id, byte for byte; else it is 403. Put it before
/// whatever reads the body, and nothing of a stranger's body is read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "handlers take it apart")]
pub struct Owner(pub Caller);

/// Lets only requests of known callers through, and tells the handlers behind it who calls, so that the token is
/// verified once: a middleware of actix-web, a layer of axum, an interceptor of tonic.
#[derive(Debug, Clone)]
pub struct RequireCaller(Authority);

impl RequireCaller {
    /// A guard that asks this authority.
    pub fn new(authority: impl Into<Authority>) -> Self {
        Self(authority.into())
    }

    /// Whom it asks.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.0
    }
}

/// What the log says of a service that was put together without an [`Authority`].
#[cfg(any(feature = "actix", feature = "axum"))]
pub(crate) const NO_AUTHORITY: &str =
    "the service was built without an auth_core::Authority: add one, or RequireCaller";

/// What the log says of an [`Owner`] where no user is named.
#[cfg(any(feature = "actix", feature = "axum"))]
pub(crate) const NO_USER_ID: &str = "Owner needs a route with {user_id} in its path";
