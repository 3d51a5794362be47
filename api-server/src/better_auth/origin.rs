//! Checks the origin of a request, as Better Auth does, against forgery by other sites (CSRF).

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{COOKIE, HeaderValue, ORIGIN, REFERER};
use url::Url;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use crate::http::redirect_target::has_trusted_origin;

/// Requires a trusted origin for a request with any cookie.
pub(super) fn require_trusted(request: &ApiRequest) -> Result<(), ApiError> {
    if request.headers().contains_key(COOKIE) {
        return require_trusted_header(request);
    }
    Ok(())
}

/// Requires a trusted origin for a login or a registration from a browser, even without a cookie. Another site must not
/// be able to log the visitor in to an account that the site chose.
pub(super) fn require_trusted_login(request: &ApiRequest) -> Result<(), ApiError> {
    let header = |name: &str| request.headers().get(name).map(HeaderValue::as_bytes);
    let metadata_headers = ["sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"];
    let is_from_browser = metadata_headers
        .iter()
        .filter_map(|name| header(name))
        .any(|value| !value.trim_ascii().is_empty());
    let is_cross_site = header("sec-fetch-site") == Some(b"cross-site".as_slice());
    if is_cross_site && header("sec-fetch-mode") == Some(b"navigate".as_slice()) {
        return Err(forbidden(
            "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
            "Cross-site navigation login blocked. This request appears to be a CSRF attack.",
        ));
    }
    let states_origin =
        request.headers().contains_key(ORIGIN) || request.headers().contains_key(REFERER);
    if is_from_browser || states_origin {
        return require_trusted_header(request);
    }
    Ok(())
}

/// Requires a trusted origin in `Origin`, or in `Referer` if the request has no `Origin`. Accepts `Origin: null` if the
/// browser marks the request as same-origin.
fn require_trusted_header(request: &ApiRequest) -> Result<(), ApiError> {
    let headers = request.headers();
    let origins: Vec<_> = headers.get_all(ORIGIN).collect();
    let fetch_site = headers.get("sec-fetch-site");
    let is_same_origin = fetch_site.is_some_and(|value| value == "same-origin");
    let origin_or_referer = match origins.as_slice() {
        [] => headers.get(REFERER),
        [origin] if *origin == "null" && is_same_origin => return Ok(()),
        [origin] => Some(*origin),
        _repeated => return Err(forbidden("INVALID_ORIGIN", "Invalid origin")),
    };
    let stated_origin = origin_or_referer.map(|value| value.to_str().unwrap_or_default());
    match stated_origin {
        None | Some("" | "null") => {
            let message = "Missing or null Origin";
            Err(forbidden("MISSING_OR_NULL_ORIGIN", message))
        }
        Some(text) if is_trusted(request, text) => Ok(()),
        Some(_) => Err(forbidden("INVALID_ORIGIN", "Invalid origin")),
    }
}

/// Returns whether the URL has this server's own origin or one of `ALLOWED_ORIGINS`. Ignores the path.
fn is_trusted(request: &ApiRequest, text: &str) -> bool {
    let trusted_origins = &request.context.policy.trusted_origins;
    Url::parse(text).is_ok_and(|url| has_trusted_origin(trusted_origins, &url))
}

pub(super) fn forbidden(code: &'static str, message: impl Into<Cow<'static, str>>) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, code, message)
}
