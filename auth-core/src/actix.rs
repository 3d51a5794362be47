//! Implements, for actix-web, the extractors, the guards as middlewares, and the response to a refused request.

mod middleware;

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, COOKIE, HeaderMap};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse, ResponseError};
use serde::de::DeserializeOwned;

use crate::credentials::{Field, Headers};
use crate::require_caller::{NO_AUTHORITY, NO_USER_ID};
use crate::{Authority, Caller, CustomClaims, MaybeCaller, Owner, Refusal, Verification};

impl Headers for HeaderMap {
    fn for_each_value<'a>(&'a self, field: Field, visit: &mut dyn FnMut(&'a [u8])) {
        let values = match field {
            Field::Authorization => self.get_all(AUTHORIZATION),
            Field::Cookie => self.get_all(COOKIE),
            Field::UserId => self.get_all("x-user-id"),
        };
        values.for_each(|value| visit(value.as_bytes()));
    }
}

impl Verification {
    /// Identifies the caller of an actix-web request, for use in other extractors.
    ///
    /// Uses the result of [`RequireCaller`](crate::RequireCaller) or else asks the [`Authority`] in the app data. The
    /// result is a 500 if the app has neither.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        if let Some(caller) = request.extensions().get::<Caller>() {
            return Self::Ready(Ok(caller.clone()));
        }
        let find_shared = || request.app_data::<Data<Authority>>().map(|data| &***data);
        match request.app_data::<Authority>().or_else(find_shared) {
            Some(authority) => authority.authenticate(request.headers()),
            None => Self::refused(Refusal::internal_error(NO_AUTHORITY)),
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
    type Future = ExtractorFuture<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> ExtractorFuture<Self> {
        ExtractorFuture {
            verification: Verification::of(request),
            convert: Self::from_result,
        }
    }
}

impl FromRequest for Owner {
    type Error = Refusal;
    type Future = ExtractorFuture<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> ExtractorFuture<Self> {
        let verification = match request.match_info().get("user_id") {
            Some(user_id) => Verification::of(request)
                .require_ids(&|visit| visit(user_id.as_bytes()), Refusal::wrong_owner),
            None => Verification::refused(Refusal::internal_error(NO_USER_ID)),
        };
        ExtractorFuture {
            verification,
            convert: |result| result.map(Self),
        }
    }
}

impl<T: DeserializeOwned> FromRequest for CustomClaims<T> {
    type Error = Refusal;
    type Future = ExtractorFuture<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> ExtractorFuture<Self> {
        ExtractorFuture {
            verification: Verification::of(request),
            convert: |result| result?.custom().map(Self),
        }
    }
}

/// A future that waits for a verification and converts its result to the argument of a handler.
pub struct ExtractorFuture<T> {
    verification: Verification,
    convert: fn(Result<Caller, Refusal>) -> Result<T, Refusal>,
}

impl<T> Future for ExtractorFuture<T> {
    type Output = Result<T, Refusal>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = Pin::new(&mut self.verification).poll(context);
        poll.map(self.convert)
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
