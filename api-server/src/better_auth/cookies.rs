//! Better Auth's cookies: names, attributes, and their signed values.

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

const SESSION: &str = "better-auth.session_token";
/// A cache of the session. This server never writes it; a Better Auth server may have.
const DATA: &str = "better-auth.session_data";
const DONT_REMEMBER: &str = "better-auth.dont_remember";

/// The signed session token of the cookie. Two cookies of the name are rejected: another host of the site may have set
/// one of them, and they cannot be told apart.
pub(super) fn session_token(
    request: &HttpRequest,
    context: &BetterAuthContext,
) -> Result<String, Error> {
    let name = name(context, SESSION);
    let mut values = all(request, &name);
    match (values.next(), values.next()) {
        (None, _) => Err(Error::MissingCredentials),
        (Some(value), None) => Ok(value),
        (Some(_), Some(_)) => Err(Error::MalformedCredentials(
            "The session cookie was sent twice",
        )),
    }
}

pub(super) fn has_session_token(request: &HttpRequest, context: &BetterAuthContext) -> bool {
    has(request, &name(context, SESSION))
}

/// Every session that a duplicate session cookie names, to sign out of all of them.
pub(super) fn doubled_sessions(request: &HttpRequest, context: &BetterAuthContext) -> Vec<String> {
    let name = name(context, SESSION);
    let keys = context.sessions.keys.current();
    let named = all(request, &name)
        .filter_map(|signed| named_session(&keys.session_tokens, &signed).ok()?);
    cookie_sessions::distinct_ids(named.map(|named| named.session_id))
}

/// The session whose cookie a login replaces.
pub(super) fn replaced_session(
    request: &HttpRequest,
    context: &BetterAuthContext,
) -> Option<String> {
    let signed = session_token(request, context).ok()?;
    let keys = context.sessions.keys.current();
    let named = named_session(&keys.session_tokens, &signed).ok()??;
    Some(named.session_id)
}

/// The session of an entry of the list of sessions, by its handle or token.
pub(super) fn listed_session(context: &BetterAuthContext, text: &str) -> Option<String> {
    let keys = context.sessions.keys.current();
    let id = keys.session_handles.decode(text);
    let id = id
        .or_else(|_no_handle| keys.session_tokens.decode(text))
        .ok()?;
    Some(Uuid::from_bytes(id).to_string())
}

/// Whether any cookie has a signed flag: a second cookie, set by another host, must not prolong the session.
pub(super) fn has_dont_remember_flag(request: &HttpRequest, context: &BetterAuthContext) -> bool {
    let name = name(context, DONT_REMEMBER);
    let keys = context.sessions.keys.current();
    all(request, &name).any(|flag| keys.session_tokens.is_flag(&flag))
}

/// The cookies of a session. Without `remember_until` they last until the browser is closed.
pub(super) fn session_cookies(
    context: &BetterAuthContext,
    session_id: &str,
    remember_until: Option<Timestamp>,
) -> Result<(String, Vec<HeaderValue>), Problem> {
    let tokens = &context.sessions.keys.current().session_tokens;
    let signed = tokens.sign_cookie(id_bytes(session_id)?);
    let now = Timestamp::from(context.sessions.now());
    let lifetime = remember_until.map(|until| until.since(now));
    // Rounded up: a cookie may outlast its session by a moment, but not the reverse.
    let lifetime = lifetime.map(|left| left.as_secs() + u64::from(left.subsec_nanos() > 0));
    let mut cookies = vec![write(context, SESSION, &encode(&signed), lifetime)?];
    if remember_until.is_none() {
        let flag = encode(&tokens.sign_flag());
        cookies.push(write(context, DONT_REMEMBER, &flag, None)?);
    }
    Ok((signed, cookies))
}

/// The bytes of one of our session ids.
pub(super) fn id_bytes(session_id: &str) -> Result<[u8; 16], Problem> {
    let id = Uuid::parse_str(session_id).map_err(Problem::internal)?;
    Ok(id.into_bytes())
}

/// Cookies that clear a session in the browser.
pub(super) fn clear_all(request: &HttpRequest, context: &BetterAuthContext) -> Vec<HeaderValue> {
    let mut names = vec![SESSION, DATA];
    if has(request, &name(context, DATA)) {
        names.push(DATA);
    }
    names.push(DONT_REMEMBER);
    clear(context, &names)
}

/// Clears the cached session of a Better Auth server, if the browser has one.
pub(super) fn clear_data(request: &HttpRequest, context: &BetterAuthContext) -> Vec<HeaderValue> {
    clear_if_present(request, context, DATA)
}

/// Clears the flag of an earlier login that was not to be remembered.
pub(super) fn clear_dont_remember(
    request: &HttpRequest,
    context: &BetterAuthContext,
) -> Vec<HeaderValue> {
    clear_if_present(request, context, DONT_REMEMBER)
}

fn clear_if_present(
    request: &HttpRequest,
    context: &BetterAuthContext,
    cookie: &str,
) -> Vec<HeaderValue> {
    if has(request, &name(context, cookie)) {
        clear(context, &[cookie])
    } else {
        Vec::new()
    }
}

fn clear(context: &BetterAuthContext, names: &[&str]) -> Vec<HeaderValue> {
    let cleared = names.iter().map(|name| write(context, name, "", Some(0)));
    cleared.filter_map(Result::ok).collect()
}

fn name(context: &BetterAuthContext, name: &str) -> String {
    let prefix = if context.policy.cookies.are_secure() {
        "__Secure-"
    } else {
        ""
    };
    format!("{prefix}{name}")
}

/// Writes the attributes in Better Auth's order.
fn write(
    context: &BetterAuthContext,
    cookie: &str,
    value: &str,
    seconds: Option<u64>,
) -> Result<HeaderValue, Problem> {
    let lifetime = seconds.map(|seconds| format!("; Max-Age={seconds}"));
    let secure = if context.policy.cookies.are_secure() {
        "; Secure"
    } else {
        ""
    };
    let text = format!(
        "{}={value}{}; Path=/; HttpOnly{secure}; SameSite=Lax",
        name(context, cookie),
        lifetime.unwrap_or_default(),
    );
    HeaderValue::try_from(text).map_err(Problem::internal)
}

/// Encodes like `encodeURIComponent`; a signed value has no other characters that need it.
fn encode(signed: &str) -> String {
    let signed = signed.replace('+', "%2B").replace('/', "%2F");
    signed.replace('=', "%3D")
}

fn has(request: &HttpRequest, name: &str) -> bool {
    all(request, name).next().is_some()
}

/// The values of all cookies of the name, percent-decoded; a value that is not UTF-8 becomes empty.
fn all<'r>(request: &'r HttpRequest, name: &'r str) -> impl Iterator<Item = String> + 'r {
    values(request, name).map(decode)
}

/// Decodes like `decodeURIComponent`; returns the text unchanged where that would fail.
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let escaped = match (byte, after) {
            (b'%', [high, low, ..]) => Some(digit(*high).zip(digit(*low))),
            (b'%', _) => Some(None),
            _ => None,
        };
        match escaped {
            None => bytes.push(*byte),
            Some(Some((high, low))) => bytes.push(high * 16 + low),
            Some(None) => return text.to_owned(),
        }
        rest = after
            .get(if escaped.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    String::from_utf8(bytes).unwrap_or_else(|_not_utf8| text.to_owned())
}

fn digit(byte: u8) -> Option<u8> {
    let digit = char::from(byte).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// The session that a signed value names: `None` if the signature is valid but the content is no session token; an
/// error if the signature is invalid.
pub(super) fn named_session(
    tokens: &SessionTokens,
    signed: &str,
) -> Result<Option<NamedSession>, Error> {
    let token = tokens.verify_cookie(signed)?;
    Ok(named_by(tokens, token))
}

/// The session that a raw token names.
pub(super) fn named_by(tokens: &SessionTokens, token: &str) -> Option<NamedSession> {
    let id = tokens.decode(token).ok()?;
    Some(NamedSession {
        session_id: Uuid::from_bytes(id).to_string(),
        is_current: tokens.is_current(token),
    })
}

/// The content of a session token.
pub(super) struct NamedSession {
    pub(super) session_id: String,
    /// Whether the current secret made it.
    pub(super) is_current: bool,
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn a_signed_value_survives_the_cookie_and_broken_escapes_stay_as_they_are() {
        assert_eq!(encode("a.b+c/d="), "a.b%2Bc%2Fd%3D");
        assert_eq!(decode("a.b%2Bc%2fd%3D"), "a.b+c/d=");
        for text in ["", "a.b+c/d=", "%", "%4", "%zz", "a%ff", "100%"] {
            assert_eq!(decode(text), text);
        }
    }
}
