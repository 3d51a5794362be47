//! Prevents cross-site request forgery. A page of any website can make a browser send requests to this server, with the
//! cookies of this server. A request that changes something with cookies must therefore come from a trusted origin.

use actix_web::HttpRequest;
use actix_web::http::header::ORIGIN;

use super::policy::HttpPolicy;
use crate::problem::{Code, Problem};

/// The header in which a browser reports whether the page that sends the request has the same origin as this server
/// (Fetch Metadata). Scripts cannot set this header.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Accepts a request if its method is safe (RFC 9110 § 9.2.1), its `Sec-Fetch-Site` is `same-origin` or its `Origin` is
/// trusted.
pub(crate) fn require_trusted(request: &HttpRequest, policy: &HttpPolicy) -> Result<(), Problem> {
    if request.method().is_safe() || is_same_origin(request) || has_trusted_origin(request, policy)
    {
        return Ok(());
    }
    Err(Problem::new(
        Code::UntrustedOrigin,
        "A request with cookies must come from our own pages or from an origin in ALLOWED_ORIGINS",
    ))
}

/// Returns whether the request has an `Origin` or `Sec-Fetch-Site` header, which browsers send, but these headers show
/// neither the same origin nor a trusted origin.
pub(crate) fn is_from_untrusted_origin(request: &HttpRequest, policy: &HttpPolicy) -> bool {
    let headers = request.headers();
    let is_from_browser = headers.contains_key(ORIGIN) || headers.contains_key(SEC_FETCH_SITE);
    is_from_browser && !is_same_origin(request) && !has_trusted_origin(request, policy)
}

fn is_same_origin(request: &HttpRequest) -> bool {
    let mut values = request.headers().get_all(SEC_FETCH_SITE);
    matches!((values.next(), values.next()), (Some(value), None) if value == "same-origin")
}

fn has_trusted_origin(request: &HttpRequest, policy: &HttpPolicy) -> bool {
    let mut origins = request.headers().get_all(ORIGIN);
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return false;
    };
    policy
        .trusted_origins
        .iter()
        .any(|trusted_origin| trusted_origin.as_str().as_bytes() == origin.as_bytes())
}
