//! Creates redirects, and adds an error to the query of a URL.

use actix_web::HttpResponse;
use actix_web::http::header::{ContentType, LOCATION};

/// Returns a 302 without a body.
pub(super) fn redirect(location: &str) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, location))
        .content_type(ContentType::json())
        .finish()
}

/// Adds `error={code}` to the query of a URL, before the fragment.
pub(super) fn with_error(url: &str, code: &str) -> String {
    let (base_url, fragment_with_hash) = match url.split_once('#') {
        Some((base_url, fragment)) => (base_url, format!("#{fragment}")),
        None => (url, String::new()),
    };
    let separator = if base_url.contains('?') { '&' } else { '?' };
    format!("{base_url}{separator}error={code}{fragment_with_hash}")
}
