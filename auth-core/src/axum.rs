//! axum: extractors, and a layer for whole routers.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Request, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

use crate::caller::{NO_AUTHORITY, NO_USER_ID};
use crate::{Authority, Caller, MaybeCaller, Owner, Refusal, RequireCaller, Verification};

fn verification(parts: &Parts) -> Verification {
    if let Some(caller) = parts.extensions.get::<Caller>() {
        return Verification::Ready(Ok(caller.clone()));
    }
    match parts.extensions.get::<Authority>() {
        Some(authority) => authority.admit(&parts.headers),
        None => Verification::Ready(Err(Refusal::fault(NO_AUTHORITY))),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        verification(parts).await
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MaybeCaller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Self::from_verdict(verification(parts).await)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Owner {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let caller = verification(parts).await?;
        match RawPathParams::from_request_parts(parts, state).await {
            Ok(params) => {
                let mut named = params.iter().filter(|(name, _)| *name == "user_id");
                let (_, user_id) = named.next().ok_or_else(|| Refusal::fault(NO_USER_ID))?;
                caller.require_owner(user_id)?;
                Ok(Self(caller))
            }
            // Whoever it names, it is nobody whose id is text.
            Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)) => Err(Refusal::wrong_owner()),
            Err(_) => Err(Refusal::fault(NO_USER_ID)),
        }
    }
}

/// The refusal itself is in the response's extensions, for a layer that logs its cause.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body()));
        let status = StatusCode::from_u16(self.status());
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(Self::MEDIA_TYPE));
        for (name, value) in self.headers() {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response.extensions_mut().insert(self);
        response
    }
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

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

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
                Err(refusal) => Ok(refusal.into_response()),
            }
        })
    }
}
