//! Checks the redirect targets of a request: `callbackURL` and similar fields.

use serde_json::Value;
use url::Url;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::origin::{forbidden, is_trusted_url};

/// Requires that the redirect targets are paths on this server or URLs of trusted origins. Checks `callbackURL` in the
/// body, or else in the query, and the other targets in the body.
pub(super) fn require_trusted(request: &ApiRequest) -> Result<(), ApiError> {
    let body_url = request.field("callbackURL").filter(|url| is_truthy(url));
    let callback_url = body_url.or_else(|| request.query.get("callbackURL"));
    require_allowed(request, callback_url, &CALLBACK)?;
    for (name, field) in [
        ("redirectTo", &REDIRECT),
        ("errorCallbackURL", &ERROR_CALLBACK),
        ("newUserCallbackURL", &NEW_USER_CALLBACK),
    ] {
        require_allowed(request, request.field(name), field)?;
    }
    Ok(())
}

/// Returns the [`allowed_target`] for `callbackURL` in the query of a `GET`; `None` if the field is absent or empty.
/// Fails if the URL is not allowed.
pub(super) fn from_query(request: &ApiRequest) -> Result<Option<String>, ApiError> {
    let callback_url = request.query.get("callbackURL");
    require_allowed(request, callback_url, &CALLBACK)?;
    Ok(callback_url.and_then(|url| allowed_target(request, url.as_str()?)))
}

/// Returns the [`allowed_target`] for `callbackURL` in the body; `None` if the field is absent or empty. A URL that is
/// not allowed does not get here, because [`ApiRequest::new`] has rejected the request.
pub(super) fn from_body(request: &ApiRequest) -> Option<String> {
    allowed_target(request, request.field("callbackURL")?.as_str()?)
}

/// Returns the [`allowed_target`] for `redirectTo` in the body, as [`from_body`] does for `callbackURL`.
pub(super) fn redirect_from_body(request: &ApiRequest) -> Option<String> {
    allowed_target(request, request.field("redirectTo")?.as_str()?)
}

/// The name of a URL field in error messages, and the code of the error if the URL is not allowed.
struct UrlField {
    label: &'static str,
    code: &'static str,
}

const CALLBACK: UrlField = UrlField {
    label: "callbackURL",
    code: "INVALID_CALLBACK_URL",
};
const REDIRECT: UrlField = UrlField {
    label: "redirectURL",
    code: "INVALID_REDIRECT_URL",
};
const ERROR_CALLBACK: UrlField = UrlField {
    label: "errorCallbackURL",
    code: "INVALID_ERROR_CALLBACK_URL",
};
const NEW_USER_CALLBACK: UrlField = UrlField {
    label: "newUserCallbackURL",
    code: "INVALID_NEW_USER_CALLBACK_URL",
};

/// Returns whether JavaScript treats the value as true.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => true,
    }
}

fn require_allowed(
    request: &ApiRequest,
    value: Option<&Value>,
    field: &UrlField,
) -> Result<(), ApiError> {
    match value.filter(|value| is_truthy(value)) {
        None => Ok(()),
        Some(Value::String(text)) if allowed_target(request, text).is_some() => Ok(()),
        Some(Value::String(_)) => {
            let message = format!("Invalid {}", field.label);
            Err(forbidden(field.code, message))
        }
        Some(_) => {
            let message = format!("Invalid {}: expected a string", field.label);
            Err(ApiError::bad_request(message))
        }
    }
}

/// The longest redirect target, in bytes.
const MAX_TARGET_BYTES: usize = 2048;

/// Returns the redirect target if it is an unambiguous path on this server or URL of a trusted origin. The result is
/// the path or URL as the `url` crate parsed it, in ASCII, because a browser may parse the original text differently.
fn allowed_target(request: &ApiRequest, text: &str) -> Option<String> {
    // The parser would remove line breaks, tabs, and white space around the URL, so they are rejected here.
    if text.chars().any(char::is_control) || text.trim() != text {
        return None;
    }
    let target = path_target(text).or_else(|| absolute_target(request, text))?;
    (target.len() <= MAX_TARGET_BYTES).then_some(target)
}

fn absolute_target(request: &ApiRequest, text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    // The scheme is checked too, because the origin of a `blob:` URL is the http origin of the page that created the
    // URL, and that origin may be trusted.
    let is_http = matches!(url.scheme(), "http" | "https");
    let has_credentials = !url.username().is_empty() || url.password().is_some();
    let is_unambiguous = !has_credentials && !text.contains('\\') && !is_ambiguous(&url);
    (is_http && is_unambiguous && is_trusted_url(request, &url)).then(|| url.into())
}

/// Returns the path in ASCII, with the query and the fragment, unless a browser could resolve it to another host.
fn path_target(text: &str) -> Option<String> {
    if !text.starts_with('/') || text.starts_with("//") || text.contains('\\') {
        return None;
    }
    let base = Url::parse("http://localhost/").ok()?;
    let url = base.join(text).ok()?;
    let is_local = url.origin() == base.origin() && !is_ambiguous(&url);
    let target = url.as_str().strip_prefix("http://localhost")?;
    is_local.then(|| target.to_owned())
}

/// Returns whether other software could read the path as another host or as the end of a header field.
fn is_ambiguous(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    // The parser turns `/.//host` into `//host`. The escapes of slash, backslash and control characters are harmful if
    // other software decodes the path once more.
    path.starts_with("//")
        || ["%2f", "%5c", "%0", "%1", "%7f"]
            .iter()
            .any(|escape| path.contains(escape))
}

#[cfg(test)]
mod tests {
    use super::path_target;

    #[test]
    fn a_path_on_this_server_is_returned_in_ascii() {
        for path in [
            "/",
            "/a/b?c=%2F#d",
            "/a-b_c.d~e",
            "/a?next=//x",
            "/a?b=%0a",
            "/a:b@c",
        ] {
            assert_eq!(path_target(path).as_deref(), Some(path));
        }
        assert_eq!(path_target("/ä b").as_deref(), Some("/%C3%A4%20b"));
        assert_eq!(path_target("/a/../b").as_deref(), Some("/b"));
    }

    #[test]
    fn a_text_that_is_not_an_unambiguous_path_is_rejected() {
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
