//! The layer of axum and tonic.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::{Authority, Refusal, RequireCaller};

/// A framework's response body, which says how the framework refuses.
pub(crate) trait Refusing: Sized {
    fn refuse(refusal: Refusal) -> Response<Self>;
}

impl<S> Layer<S> for RequireCaller {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded {
            authority: self.authority().clone(),
            inner,
        }
    }
}

/// A service behind [`RequireCaller`].
#[derive(Debug, Clone)]
pub struct Guarded<S> {
    authority: Authority,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: Refusing,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let verification = self.authority.admit(request.headers());
        // The one that is ready is this one, not its clone.
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
