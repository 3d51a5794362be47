//! actix-web: extractors, and a middleware for `wrap`.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::EitherBody;
use actix_web::dev::{Payload, Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderMap};
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest, HttpResponse, ResponseError};

use crate::caller::{NO_AUTHORITY, NO_USER_ID};
use crate::credentials::{Field, Headers};
use crate::{Authority, Caller, MaybeCaller, Owner, Refusal, RequireCaller, Verification};

impl Headers for HeaderMap {
    fn each<'a>(&'a self, field: Field, visit: &mut dyn FnMut(&'a [u8])) {
        let values = match field {
            Field::Authorization => self.get_all(AUTHORIZATION),
            Field::Cookie => self.get_all(COOKIE),
            Field::UserId => self.get_all("x-user-id"),
        };
        values.for_each(|value| visit(value.as_bytes()));
    }
}

impl Verification {
    /// Who sent the request, for an extractor of one's own (actix-web).
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        if let Some(caller) = request.extensions().get::<Caller>() {
            return Self::Ready(Ok(caller.clone()));
        }
        let shared = || request.app_data::<Data<Authority>>().map(|data| &***data);
        match request.app_data::<Authority>().or_else(shared) {
            Some(authority) => authority.admit(request.headers()),
            None => Self::Ready(Err(Refusal::fault(NO_AUTHORITY))),
        }
    }
}

impl FromRequest for Caller {
    type Error = Refusal;
    type Future = Verification;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Verification {
        Verification::of(request)
    }
}

impl FromRequest for MaybeCaller {
    type Error = Refusal;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Extraction<Self> {
        Extraction {
            verification: Verification::of(request),
            wrap: Self::from_verdict,
        }
    }
}

impl FromRequest for Owner {
    type Error = Refusal;
    type Future = Extraction<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Extraction<Self> {
        let verification = match request.match_info().get("user_id") {
            Some(user_id) => Verification::of(request)
                .only_for(&|visit| visit(user_id.as_bytes()), Refusal::wrong_owner),
            None => Verification::Ready(Err(Refusal::fault(NO_USER_ID))),
        };
        Extraction {
            verification,
            wrap: |verdict| verdict.map(Self),
        }
    }
}

/// A verification on its way to a handler's argument.
pub struct Extraction<T> {
    verification: Verification,
    wrap: fn(Result<Caller, Refusal>) -> Result<T, Refusal>,
}

impl<T> Future for Extraction<T> {
    type Output = Result<T, Refusal>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let verdict = Pin::new(&mut self.verification).poll(context);
        verdict.map(self.wrap)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.content_type(Self::MEDIA_TYPE);
        for header in self.headers() {
            response.insert_header(header);
        }
        response.body(self.body())
    }
}

impl<S, B> Transform<S, ServiceRequest> for RequireCaller
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type InitError = ();
    type Transform = Guarded<S>;
    type Future = Ready<Result<Guarded<S>, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(Guarded {
            authority: self.authority().clone(),
            inner: Rc::new(inner),
        }))
    }
}

/// A service behind [`RequireCaller`].
pub struct Guarded<S> {
    authority: Authority,
    inner: Rc<S>,
}

impl<S, B> Service<ServiceRequest> for Guarded<S>
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
        let verification = self.authority.admit(request.headers());
        let inner = Rc::clone(&self.inner);
        Box::pin(async move {
            match verification.await {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                    inner
                        .call(request)
                        .await
                        .map(ServiceResponse::map_into_left_body)
                }
                Err(refusal) => {
                    let (request, _) = request.into_parts();
                    Ok(ServiceResponse::from_err(refusal, request).map_into_right_body())
                }
            }
        })
    }
}
