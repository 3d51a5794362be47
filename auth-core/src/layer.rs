//! Implements the guards as tower layers: for axum and tonic, and in `with_body` for services with any response body.

mod response;
mod with_body;

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
#[cfg(any(feature = "axum", feature = "tonic"))]
pub(crate) use response::RefusalBody;
use response::{FrameworkResponder, RefusalResponder};
pub use with_body::WithBody;

impl<S> Layer<S> for RequireCaller {
    type Service = RequireCallerService<S>;

    fn layer(&self, inner: S) -> RequireCallerService<S> {
        RequireCallerService {
            authority: self.authority().clone(),
            responder: FrameworkResponder,
            inner,
        }
    }
}

/// Identifies the caller of each request. Calls the inner service unless the request is refused.
#[derive(Debug, Clone)]
pub struct RequireCallerService<S, F = FrameworkResponder> {
    authority: Authority,
    responder: F,
    inner: S,
}

impl<S, F, B, R> Service<Request<B>> for RequireCallerService<S, F>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    F: RefusalResponder<R> + Send + 'static,
    B: Send + 'static,
    R: 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let verification = self.authority.authenticate(request.headers());
        let inner = take_prepared(&mut self.inner);
        let responder = self.responder.clone();
        Box::pin(call_or_refuse(verification, request, inner, responder))
    }
}

/// Returns the service that `poll_ready` has prepared, and leaves a clone in its place for the next request.
fn take_prepared<S: Clone>(inner: &mut S) -> S {
    let clone = inner.clone();
    std::mem::replace(inner, clone)
}

/// Waits for the result of `caller`. Puts an identified caller into the extensions of the request and calls the inner
/// service, or responds with the refusal.
async fn call_or_refuse<S, F, B, R>(
    caller: impl Future<Output = Result<Caller, Refusal>>,
    mut request: Request<B>,
    mut inner: S,
    responder: F,
) -> Result<Response<R>, S::Error>
where
    S: Service<Request<B>, Response = Response<R>>,
    F: RefusalResponder<R>,
{
    match caller.await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            inner.call(request).await
        }
        Err(refusal) => Ok(responder.refuse(refusal)),
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
        None => Verification::refused(Refusal::internal_error(NO_AUTHORITY)),
    }
}

/// Implements [`Layer`] for the guards that have a [`Requirement`].
macro_rules! layer_with_requirement {
    ($($guard:ty),+) => {$(
        impl<S> Layer<S> for $guard {
            type Service = RequirementService<S>;

            fn layer(&self, inner: S) -> RequirementService<S> {
                RequirementService {
                    requirement: self.requirement(),
                    responder: FrameworkResponder,
                    inner,
                }
            }
        }
    )+};
}

layer_with_requirement!(RequireRole, RequireScope);

/// Checks the caller of each request: the service of [`RequireRole`] and [`RequireScope`]. Calls the inner service
/// unless the request is refused.
#[derive(Debug, Clone)]
pub struct RequirementService<S, F = FrameworkResponder> {
    requirement: Arc<Requirement>,
    responder: F,
    inner: S,
}

impl<S, F, B, R> Service<Request<B>> for RequirementService<S, F>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Send,
    F: RefusalResponder<R> + Send + 'static,
    B: Send + 'static,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // Behind `RequireCaller` the caller is known, and need not be copied.
        if let Some(caller) = request.extensions().get::<Caller>() {
            return match self.requirement.check(caller) {
                Ok(()) => Box::pin(self.inner.call(request)),
                Err(refusal) => Box::pin(ready(Ok(self.responder.refuse(refusal)))),
            };
        }
        let verification = identify_caller(request.extensions(), request.headers());
        let requirement = Arc::clone(&self.requirement);
        let checked_caller = async move {
            let caller = verification.await?;
            requirement.check(&caller).map(|()| caller)
        };
        let inner = take_prepared(&mut self.inner);
        let responder = self.responder.clone();
        Box::pin(call_or_refuse(checked_caller, request, inner, responder))
    }
}
