//! Responds with a JSON document that is the same for all callers, such as the public keys: any page may read it, and
//! caches may keep it for a while.

use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, ETag, EntityTag, Header as _, IfNoneMatch,
};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// The time for which a cache may keep the document. A new key must be published for at least this time before it
/// signs.
const CACHE_5_MINUTES: &str = "max-age=300";

/// Responds with the document, or with 304 if the caller has it already.
pub(crate) fn respond(request: &HttpRequest, json: String) -> HttpResponse {
    let tag = EntityTag::new_strong(URL_SAFE_NO_PAD.encode(Sha256::digest(&json)));
    let is_known = is_known_to(request, &tag);
    let mut response = if is_known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header(ETag(tag))
        .insert_header((CACHE_CONTROL, CACHE_5_MINUTES))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    if is_known {
        return response.finish();
    }
    response.content_type("application/json").body(json)
}

/// Returns whether `If-None-Match` has the tag or is `*` (RFC 9110 § 13.1.2).
fn is_known_to(request: &HttpRequest, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(known)) => known.iter().any(|known| known.weak_eq(tag)),
        Err(_malformed) => false,
    }
}
