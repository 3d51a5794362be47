//! Defines the types in which a handler receives the caller of a request.

use serde::de::DeserializeOwned;

use crate::claims::{CUSTOM_CLAIMS_NOT_KEPT, KeptPayload, scope_allows};
use crate::{Claims, Refusal, Roles, Scope, trace};

/// The caller of a request, as local or remote verification returns it.
///
/// With the feature `actix` or `axum`, `Caller` is an extractor. The extractor uses the result of
/// [`RequireCaller`](crate::RequireCaller) or else asks the [`Authority`](crate::Authority) in the app data (actix-web)
/// or in the request's extensions (axum). A service that has neither responds 500, so that a configuration error lets
/// no request through.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Caller {
    /// The id of the user or of the machine. From a verifier of this crate the id is not empty and has no surrounding
    /// white space.
    pub sub: String,
    /// The user's email address, as in the token or in the response of the server. `None` only from a verifier
    /// [with optional `email`](crate::TokenVerifier::with_optional_email) or from another implementation of
    /// [`Authenticate`](crate::Authenticate).
    pub email: Option<String>,
    /// Whether the user has proved that they receive mail at this address. `None` if the token does not say so, and
    /// always from a `RemoteVerifier`.
    pub email_verified: Option<bool>,
    /// The id of the session (login) to which the credentials belong. `None` only from a verifier
    /// [with optional `sid`](crate::TokenVerifier::with_optional_sid) or from another implementation of
    /// [`Authenticate`](crate::Authenticate).
    pub sid: Option<String>,
    /// The time at which the credentials expire, in whole seconds since 1970-01-01T00:00:00Z.
    pub exp: i64,
    /// The user's roles (RFC 9068 § 2.2.3.1), as in the token or in the response of the server. Empty if there are
    /// none.
    pub roles: Roles,
    /// The scope, which limits what the credentials may be used for (RFC 6749 § 3.3). `None` if they may be used for
    /// everything that the user may do.
    pub scope: Option<Scope>,
    /// The version of the user's data in the token, as in [`Claims`]. 0 if the token does not say it, and always from a
    /// `RemoteVerifier`.
    pub claims_version: u64,
    /// The object with the custom claims, if the authority provides it.
    pub(crate) payload: Option<KeptPayload>,
}

impl Caller {
    /// Creates a caller without roles, without a scope and without any optional data, for implementations of
    /// [`Authenticate`](crate::Authenticate). Set the other fields afterwards.
    ///
    /// ```
    /// let mut caller = auth_core::Caller::new("42".to_owned(), 1_800_000_000);
    /// caller.email = Some("ada@example.com".to_owned());
    /// ```
    #[must_use]
    pub fn new(sub: String, exp: i64) -> Self {
        Self {
            sub,
            email: None,
            email_verified: None,
            sid: None,
            exp,
            roles: Roles::default(),
            scope: None,
            claims_version: 0,
            payload: None,
        }
    }

    /// Returns whether `role` is one of the roles, byte for byte. Allocates nothing.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.contains(role)
    }

    /// Returns whether the credentials may be used for `name`: they have no scope, or `name` is in their scope.
    /// Allocates nothing.
    #[must_use]
    pub fn has_scope(&self, name: &str) -> bool {
        scope_allows(self.scope.as_ref(), name)
    }

    /// Deserialises the custom claims of the token, as [`Claims::custom`] describes.
    ///
    /// # Errors
    ///
    /// A refusal with status 403 if the custom claims are not a `T`: the caller's token lacks what the service
    /// requires. A refusal with status 500 if the authority does not provide custom claims. A `TokenVerifier` provides
    /// them only [with custom claims](crate::TokenVerifier::with_custom_claims).
    pub fn custom<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let payload = self.payload.as_ref();
        let result = payload.map_or(Err(CUSTOM_CLAIMS_NOT_KEPT), KeptPayload::read);
        result.map_err(|error| trace::record_refusal(error.into()))
    }

    /// Requires a role, as [`RequireRole`](crate::RequireRole) does for a whole route.
    ///
    /// # Errors
    ///
    /// [`Refusal::missing_role`], a 403, if the caller does not have the role.
    pub fn require_role(&self, role: &str) -> Result<(), Refusal> {
        if self.has_role(role) {
            Ok(())
        } else {
            Err(trace::record_refusal(Refusal::missing_role()))
        }
    }

    /// Requires that the credentials may be used for everything in `scope`, as [`RequireScope`](crate::RequireScope)
    /// does for a whole route.
    ///
    /// # Errors
    ///
    /// [`Refusal::insufficient_scope`], a 403, if a name of `scope` is missing.
    pub fn require_scope(&self, scope: &Scope) -> Result<(), Refusal> {
        if scope.iter().all(|name| self.has_scope(name)) {
            Ok(())
        } else {
            Err(trace::record_refusal(Refusal::insufficient_scope(scope)))
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

/// Requires that `sub` and `user_id` are equal, byte for byte, as [`Caller::require_owner`] does. For code without a
/// [`Caller`].
///
/// # Errors
///
/// [`Refusal::wrong_owner`], a 403, if the ids differ.
pub fn require_owner(sub: &str, user_id: &str) -> Result<(), Refusal> {
    if sub == user_id {
        Ok(())
    } else {
        Err(trace::record_refusal(Refusal::wrong_owner()))
    }
}

impl From<Claims> for Caller {
    fn from(claims: Claims) -> Self {
        Self {
            sub: claims.sub,
            email: claims.email,
            email_verified: claims.email_verified,
            sid: claims.sid,
            exp: claims.exp,
            roles: claims.roles,
            scope: claims.scope,
            claims_version: claims.claims_version,
            payload: claims.payload,
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
/// while actix-web waits for a remote authority or for the keys of an issuer, it may read the body.
/// [`RequireCaller`](crate::RequireCaller) prevents that.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "handlers destructure it")]
pub struct Owner(pub Caller);

/// The custom claims of the caller's token as a `T`, for services whose verifier
/// [keeps them](crate::TokenVerifier::with_custom_claims).
///
/// With the feature `actix` or `axum`, `CustomClaims` is an extractor: it finds the caller as the extractor [`Caller`]
/// does, and deserialises the custom claims as [`Caller::custom`] does. A caller whose token lacks claims that `T`
/// requires gets a 403.
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use auth_core::{Authority, CustomClaims, TokenVerifier};
/// use axum::{Extension, Router, routing::get};
///
/// #[derive(serde::Deserialize)]
/// struct Plan {
///     plan: String,
/// }
///
/// async fn plan(CustomClaims(claims): CustomClaims<Plan>) -> String {
///     claims.plan
/// }
///
/// fn service(verifier: TokenVerifier) -> Router {
///     let authority = Authority::from(verifier.with_custom_claims());
///     Router::new().route("/plan", get(plan)).layer(Extension(authority))
/// }
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "handlers destructure it")]
pub struct CustomClaims<T>(pub T);
