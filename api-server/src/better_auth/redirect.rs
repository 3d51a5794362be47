//! Redirects, and the error that they carry in their query.

use actix_web::HttpResponse;
use actix_web::http::header::{ContentType, LOCATION};

/// 302 without a body.
pub(super) fn redirect(location: &str) -> HttpResponse {
    HttpResponse::Found()
        .insert_header((LOCATION, location))
        .content_type(ContentType::json())
        .finish()
}

/// Adds `error={code}` to the query of an address, before its fragment.
pub(super) fn with_error(address: &str, code: &str) -> String {
    let (address, fragment) = match address.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (address, String::new()),
    };
    let separator = if address.contains('?') { '&' } else { '?' };
    format!("{address}{separator}error={code}{fragment}")
}
