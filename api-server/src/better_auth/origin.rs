//! Which pages may send a request, and where one may lead.

use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{COOKIE, HeaderValue, ORIGIN, REFERER};
use url::Url;

use super::call::Call;
use super::refusal::Refusal;
use serde_json::Value;

/// A request with any cookie must come from an origin we know.
pub(super) fn require_trusted(call: &Call) -> Result<(), Refusal> {
    if call.headers().contains_key(COOKIE) {
        return require_known(call);
    }
    Ok(())
}

/// Nobody must be logged in from another site without noticing, although there is no cookie yet.
pub(super) fn require_trusted_login(call: &Call) -> Result<(), Refusal> {
    let header = |name: &str| call.headers().get(name).map(HeaderValue::as_bytes);
    let metadata = ["sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"];
    let is_browser = metadata
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
    let says_where = call.headers().contains_key(ORIGIN) || call.headers().contains_key(REFERER);
    if is_browser || says_where {
        return require_known(call);
    }
    Ok(())
}

/// By `Origin`, else by `Referer`.
fn require_known(call: &Call) -> Result<(), Refusal> {
    let headers = call.headers();
    let origins: Vec<_> = headers.get_all(ORIGIN).collect();
    let site = headers.get("sec-fetch-site");
    let is_same_origin = site.is_some_and(|site| site == "same-origin");
    let stated = match origins.as_slice() {
        [] => headers.get(REFERER),
        [origin] if *origin == "null" && is_same_origin => return Ok(()),
        [origin] => Some(*origin),
        _several => return Err(forbidden("INVALID_ORIGIN", "Invalid origin")),
    };
    let stated = stated.map(|value| value.to_str().unwrap_or_default());
    match stated {
        None | Some("" | "null") => {
            let message = "Missing or null Origin";
            Err(forbidden("MISSING_OR_NULL_ORIGIN", message))
        }
        Some(stated) if is_known(call, stated) => Ok(()),
        Some(_) => Err(forbidden("INVALID_ORIGIN", "Invalid origin")),
    }
}

fn is_known(call: &Call, address: &str) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let origin = url.origin().ascii_serialization();
    let mut known = call.state.origins.iter();
    known.any(|known| known.as_str() == origin)
}

fn forbidden(code: &'static str, message: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, code, message)
}

/// Addresses to go on to, in the body or the query: on this site or one we know.
pub(super) fn require_trusted_addresses(call: &Call) -> Result<(), Refusal> {
    let callback = call.field("callbackURL").filter(|url| is_given(url));
    let callback = callback.or_else(|| call.query.get("callbackURL"));
    require_safe(call, callback, &CALLBACK)?;
    for (name, kind) in [
        ("redirectTo", &REDIRECT),
        ("errorCallbackURL", &ERROR_CALLBACK),
        ("newUserCallbackURL", &NEW_USER_CALLBACK),
    ] {
        require_safe(call, call.field(name), kind)?;
    }
    Ok(())
}

/// The same for `callbackURL` in the query of a `GET`.
pub(super) fn require_trusted_callback(call: &Call) -> Result<(), Refusal> {
    require_safe(call, call.query.get("callbackURL"), &CALLBACK)
}

/// What an address is called and how it is refused.
struct Kind {
    label: &'static str,
    code: &'static str,
}

const CALLBACK: Kind = Kind {
    label: "callbackURL",
    code: "INVALID_CALLBACK_URL",
};
const REDIRECT: Kind = Kind {
    label: "redirectURL",
    code: "INVALID_REDIRECT_URL",
};
const ERROR_CALLBACK: Kind = Kind {
    label: "errorCallbackURL",
    code: "INVALID_ERROR_CALLBACK_URL",
};
const NEW_USER_CALLBACK: Kind = Kind {
    label: "newUserCallbackURL",
    code: "INVALID_NEW_USER_CALLBACK_URL",
};

/// What JavaScript takes for something.
fn is_given(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => true,
    }
}

fn require_safe(call: &Call, value: Option<&Value>, kind: &Kind) -> Result<(), Refusal> {
    match value.filter(|value| is_given(value)) {
        None => Ok(()),
        Some(Value::String(address)) if is_safe_path(address) || is_known(call, address) => Ok(()),
        Some(Value::String(_)) => {
            let message = format!("Invalid {}", kind.label);
            Err(forbidden(kind.code, message))
        }
        Some(_) => {
            let message = format!("Invalid {}: expected a string", kind.label);
            Err(Refusal::bad_request(message))
        }
    }
}

/// A path on this site, however a browser may read it.
fn is_safe_path(address: &str) -> bool {
    let end = address.find(['?', '#']).unwrap_or(address.len());
    let path = address.get(..end).unwrap_or_default().to_ascii_lowercase();
    address.starts_with('/')
        && !address.starts_with("//")
        && !address.contains('\\')
        && !address.chars().any(char::is_control)
        && !path.contains("%2f")
        && !path.contains("%5c")
}

#[cfg(test)]
mod tests {
    use super::is_safe_path;

    #[test]
    fn a_path_stays_on_this_site() {
        for safe in ["/", "/a/b?c=%2F#d", "/a-b_c.d~e", "/a?next=//x"] {
            assert!(is_safe_path(safe), "{safe}");
        }
        for unsafe_path in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/\tevil",
            "https://evil.example",
            "javascript:alert(1)",
        ] {
            assert!(!is_safe_path(unsafe_path), "{unsafe_path}");
        }
    }
}
