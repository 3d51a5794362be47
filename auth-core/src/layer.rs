//! Implements [`RequireCaller`] as a tower layer, for axum and tonic.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::{Authority, Refusal, RequireCaller};

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
