//! Cross-site request forgery: the browser adds its cookies to a request that any site makes it send. A request that
//! changes something and is authenticated by a cookie must therefore name a trusted origin.

use actix_web::HttpRequest;
use actix_web::http::header::ORIGIN;

use super::policy::HttpPolicy;
use crate::problem::{Code, Problem};

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Passes reading methods, a browser's word that the request is same-origin, and origins we know.
pub(crate) fn require_trusted(request: &HttpRequest, policy: &HttpPolicy) -> Result<(), Problem> {
    if request.method().is_safe() || is_same_origin(request) || has_known_origin(request, policy) {
        return Ok(());
    }
    Err(Problem::new(
        Code::UntrustedOrigin,
        "A request with cookies must come from our own pages or from an origin in ALLOWED_ORIGINS",
    ))
}

/// Whether a browser says that the request comes from somewhere we do not know.
pub(crate) fn is_from_unknown_origin(request: &HttpRequest, policy: &HttpPolicy) -> bool {
    let headers = request.headers();
    let is_from_browser = headers.contains_key(ORIGIN) || headers.contains_key(SEC_FETCH_SITE);
    is_from_browser && !is_same_origin(request) && !has_known_origin(request, policy)
}

fn is_same_origin(request: &HttpRequest) -> bool {
    let mut sites = request.headers().get_all(SEC_FETCH_SITE);
    matches!((sites.next(), sites.next()), (Some(site), None) if site == "same-origin")
}

fn has_known_origin(request: &HttpRequest, policy: &HttpPolicy) -> bool {
    let mut origins = request.headers().get_all(ORIGIN);
    let (Some(origin), None) = (origins.next(), origins.next()) else {
        return false;
    };
    policy
        .origins
        .iter()
        .any(|known| known.as_str().as_bytes() == origin.as_bytes())
}
