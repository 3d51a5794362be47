//! Implements the guards as actix-web middlewares.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::{Error, HttpMessage as _};

use crate::requirement::Requirement;
use crate::{Authority, Caller, Refusal, RequireCaller, RequireRole, RequireScope, Verification};

impl<S, B> Transform<S, ServiceRequest> for RequireCaller
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type InitError = ();
    type Transform = RequireCallerMiddleware<S>;
    type Future = Ready<Result<RequireCallerMiddleware<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(RequireCallerMiddleware {
            authority: self.authority().clone(),
            inner: Rc::new(inner),
        }))
    }
}

/// Identifies the caller of each request. Calls the inner service unless the request is refused.
pub struct RequireCallerMiddleware<S> {
    authority: Authority,
    inner: Rc<S>,
}

impl<S, B> Service<ServiceRequest> for RequireCallerMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let verification = self.authority.authenticate(request.headers());
        let inner = Rc::clone(&self.inner);
        Box::pin(call_or_refuse(verification, request, inner))
    }
}

/// Implements the middleware of guards that have a [`Requirement`].
macro_rules! transform_with_requirement {
    ($($guard:ty),+) => {$(
        impl<S, B> Transform<S, ServiceRequest> for $guard
        where
            S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
            B: 'static,
        {
            type Response = ServiceResponse<EitherBody<B>>;
            type Error = Error;
            type InitError = ();
            type Transform = RequirementMiddleware<S>;
            type Future = Ready<Result<RequirementMiddleware<S>, ()>>;

            fn new_transform(&self, inner: S) -> Self::Future {
                ready(Ok(RequirementMiddleware {
                    requirement: self.requirement(),
                    inner: Rc::new(inner),
                }))
            }
        }
    )+};
}

transform_with_requirement!(RequireRole, RequireScope);

/// Checks the caller of each request: the service of [`RequireRole`] and [`RequireScope`]. Calls the inner service
/// unless the request is refused.
pub struct RequirementMiddleware<S> {
    requirement: Arc<Requirement>,
    inner: Rc<S>,
}

impl<S, B> Service<ServiceRequest> for RequirementMiddleware<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let verification = Verification::of(request.request());
        let requirement = Arc::clone(&self.requirement);
        let inner = Rc::clone(&self.inner);
        let checked_caller = async move {
            let caller = verification.await?;
            requirement.check(&caller).map(|()| caller)
        };
        Box::pin(call_or_refuse(checked_caller, request, inner))
    }
}

/// Waits for the result of `caller`. Puts an identified caller into the extensions of the request and calls the inner
/// service, or responds with the refusal.
async fn call_or_refuse<S, B>(
    caller: impl Future<Output = Result<Caller, Refusal>>,
    request: ServiceRequest,
    inner: Rc<S>,
) -> Result<ServiceResponse<EitherBody<B>>, Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    match caller.await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            let response = inner.call(request).await;
            response.map(ServiceResponse::map_into_left_body)
        }
        Err(refusal) => {
            let (request, _) = request.into_parts();
            Ok(ServiceResponse::from_err(refusal, request).map_into_right_body())
        }
    }
}
