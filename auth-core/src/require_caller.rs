//! Defines the guard that rejects requests without valid credentials.

use crate::Authority;

/// A guard: rejects requests without valid credentials. The extensions of an accepted request contain the
/// [`Caller`](crate::Caller), so the handler need not verify the token again. A guard is a middleware (actix-web), a
/// layer (axum, tonic) or an interceptor (tonic).
#[derive(Debug, Clone)]
pub struct RequireCaller(Authority);

impl RequireCaller {
    /// Creates a guard that asks this authority.
    pub fn new(authority: impl Into<Authority>) -> Self {
        Self(authority.into())
    }

    /// Returns the authority that this guard asks.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.0
    }
}

/// The logged cause of a 500 in a service that has no [`Authority`].
#[cfg(any(feature = "actix", feature = "tower"))]
pub(crate) const NO_AUTHORITY: &str =
    "the service was built without an auth_core::Authority: add one, or RequireCaller";

/// The logged cause of a 500 on a route that uses [`Owner`](crate::Owner) but has no `{user_id}` in its path.
#[cfg(any(feature = "actix", feature = "axum"))]
pub(crate) const NO_USER_ID: &str = "Owner needs a route with {user_id} in its path";
