//! Configures cross-origin resource sharing (CORS). A browser lets a page of another origin read responses, including
//! error responses, only if the origin is in `ALLOWED_ORIGINS`.

use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, LINK, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE,
};

use super::headers::{REQUEST_ID, SET_AUTH_TOKEN, TRACEPARENT, TRACESTATE, X_RETRY_AFTER};
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
        // The response to a page of an origin that is not allowed has no CORS headers, so a browser does not let the
        // page read it.
        .block_on_origin_mismatch(false);
    allowed_origins
        .iter()
        .fold(cors, |cors, origin| cors.allowed_origin(origin.as_str()))
}
