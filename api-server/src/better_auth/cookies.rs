//! Reads and writes Better Auth's cookies, whose values are signed.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;
use auth_core::Error;
use auth_core::session_token::SessionTokens;
use uuid::Uuid;

use crate::better_auth::context::BetterAuthContext;
use crate::db::Timestamp;
use crate::http::cookie_sessions;
use crate::http::cookies::values;
use crate::problem::Problem;

const SESSION_TOKEN: &str = "better-auth.session_token";
/// A cache of the session. This server only clears this cookie, which an earlier Better Auth server may have set.
const SESSION_DATA: &str = "better-auth.session_data";
/// A signed flag, which means that the session has a short lifetime and its cookies last until the browser is closed.
const DONT_REMEMBER: &str = "better-auth.dont_remember";

/// Returns the value of the session cookie, a signed session token, without checking the signature. Rejects a request
/// with two session cookies: another host of the site may have set one of them, and the request does not show which
/// one.
pub(super) fn signed_session_token(
    request: &HttpRequest,
    context: &BetterAuthContext,
) -> Result<String, Error> {
    let name = cookie_name(context, SESSION_TOKEN);
    let mut values = decoded_values(request, &name);
    match (values.next(), values.next()) {
        (None, _) => Err(Error::MissingCredentials),
        (Some(value), None) => Ok(value),
        (Some(_), Some(_)) => Err(Error::MalformedCredentials(
            "The session cookie was sent twice",
        )),
    }
}

pub(super) fn has_session_cookie(request: &HttpRequest, context: &BetterAuthContext) -> bool {
    has_cookie(request, &cookie_name(context, SESSION_TOKEN))
}

/// Returns the session ids of all valid session cookies, up to the maximum of [`cookie_sessions::first_distinct_ids`].
pub(super) fn session_ids_of_all_cookies(
    request: &HttpRequest,
    context: &BetterAuthContext,
) -> Vec<String> {
    let name = cookie_name(context, SESSION_TOKEN);
    let keys = context.sessions.keys.current();
    let tokens = decoded_values(request, &name)
        .filter_map(|text| decode_signed_token(&keys.session_tokens, &text).ok()?);
    cookie_sessions::first_distinct_ids(tokens.map(|token| token.session_id))
}

/// Returns the id of the session whose cookie a login replaces; `None` without a valid cookie or with two cookies.
pub(super) fn replaced_session_id(
    request: &HttpRequest,
    context: &BetterAuthContext,
) -> Option<String> {
    let signed_token = signed_session_token(request, context).ok()?;
    let keys = context.sessions.keys.current();
    let token = decode_signed_token(&keys.session_tokens, &signed_token).ok()??;
    Some(token.session_id)
}

/// Decodes the session id in a session token or a session handle, both of which `list-sessions` returns.
pub(super) fn decode_listed_session_id(context: &BetterAuthContext, text: &str) -> Option<String> {
    let keys = context.sessions.keys.current();
    let decoded_handle = keys.session_handles.decode(text);
    let id = decoded_handle
        .or_else(|_no_handle| keys.session_tokens.decode(text))
        .ok()?;
    Some(Uuid::from_bytes(id).to_string())
}

/// Returns whether any `dont_remember` cookie is valid. One valid cookie is enough: otherwise another host of the site
/// could add an invalid cookie, and the session would be prolonged.
pub(super) fn has_dont_remember_flag(request: &HttpRequest, context: &BetterAuthContext) -> bool {
    let name = cookie_name(context, DONT_REMEMBER);
    let keys = context.sessions.keys.current();
    decoded_values(request, &name).any(|flag| keys.session_tokens.is_valid_flag(&flag))
}

/// Returns the signed session token, and the `Set-Cookie` values of a session. Without `remember_until`, the cookies
/// last until the browser is closed.
pub(super) fn session_cookies(
    context: &BetterAuthContext,
    session_id: &str,
    remember_until: Option<Timestamp>,
) -> Result<(String, Vec<HeaderValue>), Problem> {
    let session_tokens = &context.sessions.keys.current().session_tokens;
    let signed_token = session_tokens.sign_cookie(session_id_bytes(session_id)?);
    let now = Timestamp::from(context.sessions.now());
    let lifetime = remember_until.map(|until| until.since(now));
    // Rounded up to seconds, so that the cookie does not expire before the session.
    let max_age_seconds =
        lifetime.map(|duration| duration.as_secs() + u64::from(duration.subsec_nanos() > 0));
    let mut cookies = vec![set_cookie_value(
        context,
        SESSION_TOKEN,
        &percent_encode(&signed_token),
        max_age_seconds,
    )?];
    if remember_until.is_none() {
        let flag = percent_encode(&session_tokens.sign_flag());
        cookies.push(set_cookie_value(context, DONT_REMEMBER, &flag, None)?);
    }
    Ok((signed_token, cookies))
}

/// Returns the 16 bytes of a session id. Fails if the id is not a UUID.
pub(super) fn session_id_bytes(session_id: &str) -> Result<[u8; 16], Problem> {
    let id = Uuid::parse_str(session_id).map_err(Problem::internal)?;
    Ok(id.into_bytes())
}

/// Returns the `Set-Cookie` values that clear all cookies of a session.
pub(super) fn removal_cookies(
    request: &HttpRequest,
    context: &BetterAuthContext,
) -> Vec<HeaderValue> {
    let mut names = vec![SESSION_TOKEN, SESSION_DATA];
    // Like Better Auth, clears this cookie a second time if the request has the cookie.
    if has_cookie(request, &cookie_name(context, SESSION_DATA)) {
        names.push(SESSION_DATA);
    }
    names.push(DONT_REMEMBER);
    removal_cookies_named(context, &names)
}

/// Returns the `Set-Cookie` value that clears the cookie [`SESSION_DATA`], if the request has that cookie.
pub(super) fn session_data_removal_cookies(
    request: &HttpRequest,
    context: &BetterAuthContext,
) -> Vec<HeaderValue> {
    removal_cookies_if_present(request, context, SESSION_DATA)
}

/// Returns the `Set-Cookie` value that clears the cookie [`DONT_REMEMBER`], if the request has that cookie.
pub(super) fn dont_remember_removal_cookies(
    request: &HttpRequest,
    context: &BetterAuthContext,
) -> Vec<HeaderValue> {
    removal_cookies_if_present(request, context, DONT_REMEMBER)
}

fn removal_cookies_if_present(
    request: &HttpRequest,
    context: &BetterAuthContext,
    name: &str,
) -> Vec<HeaderValue> {
    if has_cookie(request, &cookie_name(context, name)) {
        removal_cookies_named(context, &[name])
    } else {
        Vec::new()
    }
}

fn removal_cookies_named(context: &BetterAuthContext, names: &[&str]) -> Vec<HeaderValue> {
    let results = names
        .iter()
        .map(|name| set_cookie_value(context, name, "", Some(0)));
    results.filter_map(Result::ok).collect()
}

/// Adds the prefix `__Secure-` if the cookies are sent only over https.
fn cookie_name(context: &BetterAuthContext, name: &str) -> String {
    let prefix = if context.policy.cookie_format.is_secure() {
        "__Secure-"
    } else {
        ""
    };
    format!("{prefix}{name}")
}

/// Makes a `Set-Cookie` value, with the attributes in Better Auth's order. Without `max_age_seconds`, the cookie lasts
/// until the browser is closed.
fn set_cookie_value(
    context: &BetterAuthContext,
    name: &str,
    value: &str,
    max_age_seconds: Option<u64>,
) -> Result<HeaderValue, Problem> {
    let max_age_attribute = max_age_seconds.map(|seconds| format!("; Max-Age={seconds}"));
    let secure_attribute = if context.policy.cookie_format.is_secure() {
        "; Secure"
    } else {
        ""
    };
    let text = format!(
        "{}={value}{}; Path=/; HttpOnly{secure_attribute}; SameSite=Lax",
        cookie_name(context, name),
        max_age_attribute.unwrap_or_default(),
    );
    HeaderValue::try_from(text).map_err(Problem::internal)
}

/// Encodes like `encodeURIComponent`: of the characters in a signed value, that function encodes only these three.
fn percent_encode(signed_value: &str) -> String {
    let text = signed_value.replace('+', "%2B").replace('/', "%2F");
    text.replace('=', "%3D")
}

fn has_cookie(request: &HttpRequest, name: &str) -> bool {
    decoded_values(request, name).next().is_some()
}

/// Returns the values of all cookies with this name, percent-decoded.
fn decoded_values<'r>(
    request: &'r HttpRequest,
    name: &'r str,
) -> impl Iterator<Item = String> + 'r {
    values(request, name).map(percent_decode)
}

/// Decodes like `decodeURIComponent`. Returns the text unchanged if that function would throw an error.
pub(super) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, following)) = rest.split_first() {
        let escape = match (byte, following) {
            (b'%', [high, low, ..]) => Some(hex_digit(*high).zip(hex_digit(*low))),
            (b'%', _) => Some(None),
            _ => None,
        };
        match escape {
            None => bytes.push(*byte),
            Some(Some((high, low))) => bytes.push(high * 16 + low),
            Some(None) => return text.to_owned(),
        }
        rest = following
            .get(if escape.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    String::from_utf8(bytes).unwrap_or_else(|_not_utf8| text.to_owned())
}

fn hex_digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// Decodes a signed session token. Returns `None` if the signature is valid but the content is not a session token.
/// Fails if the signature is invalid.
pub(super) fn decode_signed_token(
    session_tokens: &SessionTokens,
    signed_token: &str,
) -> Result<Option<DecodedToken>, Error> {
    let token = session_tokens.verify_cookie(signed_token)?;
    Ok(decode_token(session_tokens, token))
}

/// Decodes a session token without a cookie signature, as in a response body; `None` if this server did not make it.
pub(super) fn decode_token(session_tokens: &SessionTokens, token: &str) -> Option<DecodedToken> {
    let id = session_tokens.decode(token).ok()?;
    Some(DecodedToken {
        session_id: Uuid::from_bytes(id).to_string(),
        is_of_current_secret: session_tokens.is_current(token),
    })
}

/// A decoded session token.
pub(super) struct DecodedToken {
    pub(super) session_id: String,
    /// Whether the token was signed with the current secret, not with a previous secret.
    pub(super) is_of_current_secret: bool,
}

#[cfg(test)]
mod tests {
    use super::{percent_decode, percent_encode};

    #[test]
    fn decoding_reverses_encoding_and_leaves_invalid_escapes_unchanged() {
        assert_eq!(percent_encode("a.b+c/d="), "a.b%2Bc%2Fd%3D");
        assert_eq!(percent_decode("a.b%2Bc%2fd%3D"), "a.b+c/d=");
        for text in ["", "a.b+c/d=", "%", "%4", "%zz", "a%ff", "100%"] {
            assert_eq!(percent_decode(text), text);
        }
    }
}
