//! Configures cross-origin resource sharing (CORS). Except for [public documents](super::public_document), a browser
//! lets a page of another origin read responses, including error responses, only if the origin is in `ALLOWED_ORIGINS`.

use actix_cors::Cors;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT, ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, LINK,
    LOCATION, ORIGIN, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use actix_web::web::Data;

use super::headers::{REQUEST_ID, SET_AUTH_TOKEN, TRACEPARENT, TRACESTATE, X_RETRY_AFTER};
use super::policy::HttpPolicy;
use crate::origin::Origin;

/// The time for which a browser may cache a preflight response, in seconds.
const PREFLIGHT_MAX_AGE_SECONDS: usize = 600;

pub(crate) fn cors(allowed_origins: &[Origin]) -> Cors {
    let readable_headers: [HeaderName; 8] = [
        LINK,
        LOCATION,
        RETRY_AFTER,
        WWW_AUTHENTICATE,
        REQUEST_ID,
        SET_AUTH_TOKEN,
        TRACEPARENT,
        X_RETRY_AFTER,
    ];
    let cors = Cors::default()
        .allowed_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allowed_headers([
            ACCEPT,
            AUTHORIZATION,
            CONTENT_TYPE,
            REQUEST_ID,
            TRACEPARENT,
            TRACESTATE,
        ])
        .expose_headers(readable_headers)
        .supports_credentials()
        .max_age(PREFLIGHT_MAX_AGE_SECONDS)
        // A request from a page of an origin that is not allowed is handled too, but the response has no CORS headers,
        // so a browser does not let the page read it.
        .block_on_origin_mismatch(false);
    allowed_origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin.as_str()))
}

/// Returns the origin of the page that sent the request, if this page may read responses.
pub(crate) fn trusted_request_origin(request: &ServiceRequest) -> Option<HeaderValue> {
    let origin = request.headers().get(ORIGIN)?;
    let policy = request.app_data::<Data<HttpPolicy>>()?;
    let mut trusted_origins = policy.trusted_origins.iter();
    let is_trusted =
        trusted_origins.any(|trusted| trusted.as_str().as_bytes() == origin.as_bytes());
    is_trusted.then(|| origin.clone())
}

/// Returns the headers that let a page of this origin read a response after a panic. [`cors`] adds no headers to such a
/// response.
pub(crate) fn headers_after_panic(origin: HeaderValue) -> [(HeaderName, HeaderValue); 4] {
    [
        (ACCESS_CONTROL_ALLOW_ORIGIN, origin),
        (
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        ),
        (
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("x-request-id"),
        ),
        (VARY, HeaderValue::from_static("Origin")),
    ]
}
