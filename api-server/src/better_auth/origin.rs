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
    Url::parse(address).is_ok_and(|url| is_known_url(call, &url))
}

fn is_known_url(call: &Call, url: &Url) -> bool {
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

/// `callbackURL` in the query of a `GET`, as [`target`] gives it.
pub(super) fn trusted_callback(call: &Call) -> Result<Option<String>, Refusal> {
    let callback = call.query.get("callbackURL");
    require_safe(call, callback, &CALLBACK)?;
    Ok(callback.and_then(|it| target(call, it.as_str()?)))
}

/// `callbackURL` in the body, which was found trusted, as [`target`] gives it.
pub(super) fn body_callback(call: &Call) -> Option<String> {
    target(call, call.field("callbackURL")?.as_str()?)
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
        Some(Value::String(address)) if target(call, address).is_some() => Ok(()),
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

/// The longest address that is gone on to, in bytes.
const MAX_TARGET_BYTES: usize = 2048;

/// Where an address leads, if it may: a path on this site, or an address of an origin we know. Gives what was parsed and
/// checked, in ASCII, and not what was sent: a browser may read the two differently.
fn target(call: &Call, address: &str) -> Option<String> {
    // The parser drops line breaks and tabs, and white space around the address.
    if address.chars().any(char::is_control) || address.trim() != address {
        return None;
    }
    let target = path_target(address).or_else(|| absolute_target(call, address))?;
    (target.len() <= MAX_TARGET_BYTES).then_some(target)
}

fn absolute_target(call: &Call, address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    // `blob:` has an origin too.
    let is_web = matches!(url.scheme(), "http" | "https");
    let has_user = !url.username().is_empty() || url.password().is_some();
    let is_trusted = is_web && !has_user && !address.contains('\\') && is_known_url(call, &url);
    is_trusted.then(|| url.into())
}

/// A path on this site, however a browser may read it.
fn path_target(address: &str) -> Option<String> {
    if !address.starts_with('/') || address.starts_with("//") || address.contains('\\') {
        return None;
    }
    let base = Url::parse("http://localhost/").ok()?;
    let url = base.join(address).ok()?;
    let path = url.path().to_ascii_lowercase();
    // Decoded once more on the way, they would end the path's host or header.
    let is_ambiguous = ["%2f", "%5c", "%0", "%1", "%7f"]
        .iter()
        .any(|it| path.contains(it));
    // `/.//host` has become `//host`.
    let is_local = url.origin() == base.origin() && !path.starts_with("//");
    let target = url.as_str().strip_prefix("http://localhost")?;
    (is_local && !is_ambiguous).then(|| target.to_owned())
}

#[cfg(test)]
mod tests {
    use super::path_target;

    #[test]
    fn a_path_stays_on_this_site() {
        for safe in [
            "/",
            "/a/b?c=%2F#d",
            "/a-b_c.d~e",
            "/a?next=//x",
            "/a?b=%0a",
            "/a:b@c",
        ] {
            assert_eq!(path_target(safe).as_deref(), Some(safe));
        }
        assert_eq!(path_target("/ä b").as_deref(), Some("/%C3%A4%20b"));
        assert_eq!(path_target("/a/../b").as_deref(), Some("/b"));
    }

    #[test]
    fn a_path_that_may_lead_elsewhere_is_none() {
        for text in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "/.//evil.example",
            "/a/..//evil.example",
            "/%2e//evil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/%0d%0aset-cookie:a=b",
            "/%00",
            "/%7F",
            "https://evil.example",
            "javascript:alert(1)",
        ] {
            assert_eq!(path_target(text), None, "{text}");
        }
    }
}
