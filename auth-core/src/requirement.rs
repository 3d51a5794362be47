//! Defines the guards that reject callers without a role or without a scope.

use std::sync::Arc;

use crate::{Caller, Error, Refusal, Roles, Scope, trace};

/// A guard: refuses a caller who does not have the required roles, with a 403 `FORBIDDEN`.
///
/// The guard is a middleware (actix-web), a layer (axum, tonic) or an interceptor (tonic), and uses the caller that
/// [`RequireCaller`](crate::RequireCaller) has identified before. Without `RequireCaller`, a middleware or a layer asks
/// the [`Authority`](crate::Authority), as the extractor [`Caller`] does. An interceptor without `RequireCaller`, and a
/// service without an `Authority`, respond 500. In another framework, call [`check`](Self::check).
///
/// ```
/// # #[cfg(feature = "axum")] {
/// use auth_core::{Authority, Error, RequireCaller, RequireRole};
/// use axum::{Router, routing::get};
///
/// fn admin_routes(authority: Authority) -> Result<Router, Error> {
///     Ok(Router::new()
///         .route("/admin", get(async || "Hello"))
///         .layer(RequireRole::any_of(["admin", "operator"])?)
///         // In axum, the layer that was added last comes first.
///         .layer(RequireCaller::new(authority)))
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RequireRole(Arc<Requirement>);

/// A guard: refuses a caller whose token lacks the required scope, with a 403 `INSUFFICIENT_SCOPE` and
/// `WWW-Authenticate: Bearer error="insufficient_scope", scope="…"` (RFC 6750 § 3.1). A token without a scope may be
/// used for everything.
///
/// Everything else is as for [`RequireRole`].
#[derive(Debug, Clone)]
pub struct RequireScope(Arc<Requirement>);

/// The roles or the scope that a guard requires.
#[derive(Debug)]
pub(crate) enum Requirement {
    AnyRole(Roles),
    EveryRole(Roles),
    AnyScope(Scope),
    EveryScope(Scope),
}

impl RequireRole {
    /// Creates a guard that requires this role.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if `role` is no valid name of a role.
    pub fn new(role: impl AsRef<str>) -> Result<Self, Error> {
        Self::any_of([role])
    }

    /// Creates a guard that requires at least one of these roles.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] unless there are 1 to 32 different valid names.
    pub fn any_of<N: AsRef<str>>(roles: impl IntoIterator<Item = N>) -> Result<Self, Error> {
        Ok(Self(Arc::new(Requirement::AnyRole(nonempty_roles(roles)?))))
    }

    /// Creates a guard that requires all of these roles.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] unless there are 1 to 32 different valid names.
    pub fn all_of<N: AsRef<str>>(roles: impl IntoIterator<Item = N>) -> Result<Self, Error> {
        Ok(Self(Arc::new(Requirement::EveryRole(nonempty_roles(
            roles,
        )?))))
    }

    /// Checks the caller, for a framework without an adapter. Allocates nothing.
    ///
    /// # Errors
    ///
    /// [`Refusal::missing_role`] if the caller does not have the required roles.
    pub fn check(&self, caller: &Caller) -> Result<(), Refusal> {
        self.0.check(caller)
    }

    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn requirement(&self) -> Arc<Requirement> {
        Arc::clone(&self.0)
    }
}

impl RequireScope {
    /// Creates a guard that requires this name in the scope of the token.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if `name` is no valid name of a scope.
    pub fn new(name: impl AsRef<str>) -> Result<Self, Error> {
        Self::any_of([name])
    }

    /// Creates a guard that requires at least one of these names in the scope of the token.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] unless the names make a valid [`Scope`].
    pub fn any_of<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Self, Error> {
        let scope = Scope::from_names(names).map_err(to_setting_error)?;
        Ok(Self(Arc::new(Requirement::AnyScope(scope))))
    }

    /// Creates a guard that requires all of these names in the scope of the token.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] unless the names make a valid [`Scope`].
    pub fn all_of<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Self, Error> {
        let scope = Scope::from_names(names).map_err(to_setting_error)?;
        Ok(Self(Arc::new(Requirement::EveryScope(scope))))
    }

    /// Checks the caller, for a framework without an adapter. Allocates nothing unless the caller is refused.
    ///
    /// # Errors
    ///
    /// [`Refusal::insufficient_scope`] if the scope of the caller's token does not have the required names. The refusal
    /// contains all names of the guard.
    pub fn check(&self, caller: &Caller) -> Result<(), Refusal> {
        self.0.check(caller)
    }

    #[cfg(any(feature = "actix", feature = "tower"))]
    pub(crate) fn requirement(&self) -> Arc<Requirement> {
        Arc::clone(&self.0)
    }
}

impl Requirement {
    pub(crate) fn check(&self, caller: &Caller) -> Result<(), Refusal> {
        match self {
            Self::AnyRole(roles) if roles.iter().any(|role| caller.has_role(role)) => Ok(()),
            Self::EveryRole(roles) if roles.iter().all(|role| caller.has_role(role)) => Ok(()),
            Self::AnyRole(_) | Self::EveryRole(_) => {
                Err(trace::record_refusal(Refusal::missing_role()))
            }
            Self::AnyScope(scope) if scope.iter().any(|name| caller.has_scope(name)) => Ok(()),
            Self::EveryScope(scope) if scope.iter().all(|name| caller.has_scope(name)) => Ok(()),
            Self::AnyScope(scope) | Self::EveryScope(scope) => {
                Err(trace::record_refusal(Refusal::insufficient_scope(scope)))
            }
        }
    }
}

/// Creates a set of roles that is not empty: `all_of` nothing would let every caller through.
fn nonempty_roles<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Result<Roles, Error> {
    let roles = Roles::new(names).map_err(to_setting_error)?;
    if roles.is_empty() {
        return Err(Error::InvalidSetting("a guard needs at least one role"));
    }
    Ok(roles)
}

/// Converts the error of an invalid name, which is an error of the service, not of a request.
fn to_setting_error(error: Error) -> Error {
    match error {
        Error::UnacceptableClaims(reason) => Error::InvalidSetting(reason),
        error => error,
    }
}
