//! Checks the redirect targets of a request: `callbackURL` and similar fields.

use serde_json::Value;

use super::api_error::ApiError;
use super::api_request::ApiRequest;
use super::origin::forbidden;
use crate::http::redirect_target;

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
pub(super) fn redirect_target_from_body(request: &ApiRequest) -> Option<String> {
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

/// Returns a trusted redirect target as the `url` crate parsed it: see [`redirect_target::allowed_target`].
fn allowed_target(request: &ApiRequest, text: &str) -> Option<String> {
    redirect_target::allowed_target(&request.context.policy.trusted_origins, text)
}
