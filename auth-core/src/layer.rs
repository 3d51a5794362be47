//! Implements the guards as tower layers, for axum and tonic.

use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Extensions, HeaderMap, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::require_caller::NO_AUTHORITY;
use crate::requirement::Requirement;
use crate::{Authority, Caller, Refusal, RequireCaller, RequireRole, RequireScope, Verification};

/// A framework's response body that can express a refusal.
pub(crate) trait RefusalBody: Sized {
    /// Converts a refusal to a response of the framework.
    fn refuse(refusal: Refusal) -> Response<Self>;
}

impl<S> Layer<S> for RequireCaller {
    type Service = RequireCallerService<S>;

    fn layer(&self, inner: S) -> RequireCallerService<S> {
        RequireCallerService {
            authority: self.authority().clone(),
            inner,
        }
    }
}

/// Identifies the caller of each request. Calls the inner service unless the request is refused.
#[derive(Debug, Clone)]
pub struct RequireCallerService<S> {
    authority: Authority,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for RequireCallerService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: RefusalBody,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let verification = self.authority.authenticate(request.headers());
        // The service that `poll_ready` prepared gets this request. The clone gets the next request.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            match verification.await {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                    inner.call(request).await
                }
                Err(refusal) => Ok(R::refuse(refusal)),
            }
        })
    }
}

/// Uses the result of [`RequireCaller`] or else asks the [`Authority`] in the request's extensions. The result is a 500
/// if the request has neither.
pub(crate) fn identify_caller(extensions: &Extensions, headers: &HeaderMap) -> Verification {
    if let Some(caller) = extensions.get::<Caller>() {
        return Verification::Ready(Ok(caller.clone()));
    }
    match extensions.get::<Authority>() {
        Some(authority) => authority.authenticate(headers),
        None => Verification::Ready(Err(Refusal::internal_error(NO_AUTHORITY))),
    }
}

impl<S> Layer<S> for RequireRole {
    type Service = RequirementService<S>;

    fn layer(&self, inner: S) -> RequirementService<S> {
        RequirementService {
            requirement: self.requirement(),
            inner,
        }
    }
}

impl<S> Layer<S> for RequireScope {
    type Service = RequirementService<S>;

    fn layer(&self, inner: S) -> RequirementService<S> {
        RequirementService {
            requirement: self.requirement(),
            inner,
        }
    }
}

/// Checks the caller of each request: the service of [`RequireRole`] and [`RequireScope`]. Calls the inner service unless
/// the request is refused.
#[derive(Debug, Clone)]
pub struct RequirementService<S> {
    requirement: Arc<Requirement>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for RequirementService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send,
    B: Send + 'static,
    R: RefusalBody + Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // Behind `RequireCaller` the caller is known, and need not be copied.
        if let Some(caller) = request.extensions().get::<Caller>() {
            return match self.requirement.check(caller) {
                Ok(()) => Box::pin(self.inner.call(request)),
                Err(refusal) => Box::pin(ready(Ok(R::refuse(refusal)))),
            };
        }
        let verification = identify_caller(request.extensions(), request.headers());
        let requirement = Arc::clone(&self.requirement);
        // The service that `poll_ready` prepared gets this request. The clone gets the next request.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let result = verification.await;
            match result.and_then(|caller| requirement.check(&caller).map(|()| caller)) {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                    inner.call(request).await
                }
                Err(refusal) => Ok(R::refuse(refusal)),
            }
        })
    }
}
