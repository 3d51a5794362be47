//! Implements the guards as tower layers for services with any response body.

use tower_layer::Layer;

use super::response::BodyResponder;
use super::{RequireCallerService, RequirementService};
use crate::{RequireCaller, RequireRole, RequireScope};

/// A guard as a layer for tower services whose response body is a `B`: the result of [`RequireCaller::with_body`],
/// [`RequireRole::with_body`] and [`RequireScope::with_body`].
#[derive(Debug, Clone)]
pub struct WithBody<G, B> {
    guard: G,
    responder: BodyResponder<B>,
}

impl<G, B> WithBody<G, B> {
    const fn new(guard: G, new_body: fn(String) -> B) -> Self {
        Self {
            guard,
            responder: BodyResponder(new_body),
        }
    }
}

impl RequireCaller {
    /// Creates a layer for tower services with any body. `new_body` creates the body of a refusal from its JSON text.
    /// The extensions of an accepted request contain the [`Caller`](crate::Caller).
    ///
    /// For services of axum and tonic, [`RequireCaller`] itself is the layer.
    ///
    /// ```
    /// use auth_core::{Authority, Caller, Error, RequireCaller, RequireRole};
    /// use http::{Request, Response};
    /// use tower_layer::Layer;
    /// use tower_service::Service;
    ///
    /// fn guarded<S>(
    ///     authority: Authority,
    ///     service: S,
    /// ) -> Result<impl Service<Request<()>, Response = Response<Vec<u8>>>, Error>
    /// where
    ///     S: Service<Request<()>, Response = Response<Vec<u8>>, Error: Send, Future: Send> + Clone + Send + 'static,
    /// {
    ///     let admins = RequireRole::new("admin")?.with_body(String::into_bytes);
    ///     let callers = RequireCaller::new(authority).with_body(String::into_bytes);
    ///     Ok(callers.layer(admins.layer(service)))
    /// }
    /// ```
    #[must_use]
    pub const fn with_body<B>(self, new_body: fn(String) -> B) -> WithBody<Self, B> {
        WithBody::new(self, new_body)
    }
}

impl RequireRole {
    /// Creates a layer for tower services with any body, as [`RequireCaller::with_body`] does.
    #[must_use]
    pub const fn with_body<B>(self, new_body: fn(String) -> B) -> WithBody<Self, B> {
        WithBody::new(self, new_body)
    }
}

impl RequireScope {
    /// Creates a layer for tower services with any body, as [`RequireCaller::with_body`] does.
    #[must_use]
    pub const fn with_body<B>(self, new_body: fn(String) -> B) -> WithBody<Self, B> {
        WithBody::new(self, new_body)
    }
}

impl<S, B> Layer<S> for WithBody<RequireCaller, B> {
    type Service = RequireCallerService<S, BodyResponder<B>>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireCallerService {
            authority: self.guard.authority().clone(),
            responder: self.responder,
            inner,
        }
    }
}

impl<S, B> Layer<S> for WithBody<RequireRole, B> {
    type Service = RequirementService<S, BodyResponder<B>>;

    fn layer(&self, inner: S) -> Self::Service {
        RequirementService {
            requirement: self.guard.requirement(),
            responder: self.responder,
            inner,
        }
    }
}

impl<S, B> Layer<S> for WithBody<RequireScope, B> {
    type Service = RequirementService<S, BodyResponder<B>>;

    fn layer(&self, inner: S) -> Self::Service {
        RequirementService {
            requirement: self.guard.requirement(),
            responder: self.responder,
            inner,
        }
    }
}
