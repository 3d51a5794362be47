//! Defines the types in which a handler receives the caller of a request.

use crate::{Claims, Refusal};

/// The caller of a request, with the data that both local and remote verification return.
///
/// With the feature `actix` or `axum`, `Caller` is an extractor. The extractor uses the result of
/// [`RequireCaller`](crate::RequireCaller) or else asks the [`Authority`](crate::Authority) in the app data (actix-web)
/// or in the request's extensions (axum). A service that has neither responds 500, so that a configuration error lets
/// no request through.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// The user's id. From a verifier of this crate the id is not empty and has no surrounding white space.
    pub sub: String,
    /// The user's email address, as in the token or in the response of the server.
    pub email: String,
    /// Whether the user has proved to receive mail at this address; `None` if the token or the response does not say
    /// so. The response of the server that `RemoteVerifier` asks never does.
    pub email_verified: Option<bool>,
    /// The id of the session (login) to which the credentials belong.
    pub sid: String,
    /// When the credentials expire: whole seconds since 1970-01-01T00:00:00Z.
    pub exp: i64,
}

impl Caller {
    /// Creates a caller without `email_verified`, for implementations of [`Authenticate`](crate::Authenticate).
    #[must_use]
    pub const fn new(sub: String, email: String, sid: String, exp: i64) -> Self {
        Self {
            sub,
            email,
            email_verified: None,
            sid,
            exp,
        }
    }

    /// Requires that `user_id` is the caller's id, byte for byte.
    ///
    /// # Errors
    ///
    /// [`Refusal::wrong_owner`], a 403, if the ids differ.
    pub fn require_owner(&self, user_id: &str) -> Result<(), Refusal> {
        require_owner(&self.sub, user_id)
    }
}

/// As [`Caller::require_owner`], for code without a [`Caller`]: `sub` and `user_id` must be equal byte for byte.
///
/// # Errors
///
/// [`Refusal::wrong_owner`], a 403, if the ids differ.
pub fn require_owner(sub: &str, user_id: &str) -> Result<(), Refusal> {
    if sub == user_id {
        Ok(())
    } else {
        Err(Refusal::wrong_owner())
    }
}

impl From<Claims> for Caller {
    fn from(claims: Claims) -> Self {
        Self {
            email_verified: claims.email_verified,
            ..Self::new(claims.sub, claims.email, claims.sid, claims.exp)
        }
    }
}

/// The caller of a route that needs no credentials; `None` if the authority finds no credentials in the request.
/// Invalid credentials are rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "handlers destructure it")]
pub struct MaybeCaller(pub Option<Caller>);

#[cfg(any(feature = "actix", feature = "axum"))]
impl MaybeCaller {
    /// Converts a refusal because of missing credentials to `None`.
    pub(crate) fn from_result(result: Result<Caller, Refusal>) -> Result<Self, Refusal> {
        match result {
            Ok(caller) => Ok(Self(Some(caller))),
            Err(refusal) if refusal.code() == "UNAUTHORIZED" => Ok(Self(None)),
            Err(refusal) => Err(refusal),
        }
    }
}

/// A caller whose id equals the path parameter `{user_id}` byte for byte. A caller with another id gets a 403.
///
/// Make `Owner` the first argument of a handler, so that a request is rejected before its body is read. Exception:
/// while actix-web waits for a remote authority, it may read the body. [`RequireCaller`](crate::RequireCaller) prevents
/// that.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "handlers destructure it")]
pub struct Owner(pub Caller);
