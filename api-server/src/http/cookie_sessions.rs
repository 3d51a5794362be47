//! Finds the sessions that the cookies of a request name.

use actix_web::HttpRequest;
use auth_core::credentials::Credentials;

use super::caller::is_storable;
use super::cookies::Cookie;
use super::policy::HttpPolicy;
use crate::sessions::{Sessions, session};

/// The most sessions that the cookies of one request may name.
const MAX_SESSIONS: usize = 8;

/// Returns the id of every session that a cookie with a valid signature names. A cookie may be present more than once.
pub(crate) fn ids_of_all_cookies(
    request: &HttpRequest,
    sessions: &Sessions,
    policy: &HttpPolicy,
) -> Vec<String> {
    let access = policy.cookies.access_values(request);
    let access = access.filter_map(|token| session_of_access_token(token, sessions));
    let refresh = policy.cookies.refresh_values(request);
    let refresh = refresh.filter_map(|token| session_of_refresh_token(token, sessions));
    distinct_ids(access.chain(refresh))
}

/// Returns the ids of the sessions that the access cookie and the refresh cookie name. A cookie that is present twice
/// is treated as absent.
pub(crate) fn ids_of_unambiguous_cookies(
    request: &HttpRequest,
    sessions: &Sessions,
    policy: &HttpPolicy,
) -> Vec<String> {
    let access = Credentials::new(request.headers()).cookie(policy.cookies.access_name());
    let access = access.ok();
    let access = access.and_then(|token| session_of_access_token(token, sessions));
    let refresh = match policy.cookies.find_refresh(request) {
        Cookie::One(token) => session_of_refresh_token(token, sessions),
        Cookie::Absent | Cookie::Ambiguous => None,
    };
    distinct_ids(access.into_iter().chain(refresh))
}

/// Removes duplicates and returns the first [`MAX_SESSIONS`] ids. Pass ids of verified cookies only: forged cookies
/// would otherwise use up the maximum.
pub(crate) fn distinct_ids(ids: impl Iterator<Item = String>) -> Vec<String> {
    let mut found = Vec::new();
    for id in ids {
        if found.len() == MAX_SESSIONS {
            break;
        }
        if !found.contains(&id) {
            found.push(id);
        }
    }
    found
}

/// Returns the session of an access token, which may have expired.
fn session_of_access_token(token: &str, sessions: &Sessions) -> Option<String> {
    let keys = sessions.keys.current();
    let claims = keys.verifier.verify_for_logout(token, sessions.now());
    let claims = claims.ok()?;
    is_storable(&claims.sub, &claims.sid).then_some(claims.sid)
}

fn session_of_refresh_token(token: &str, sessions: &Sessions) -> Option<String> {
    let token = sessions.keys.current().refresh_tokens.decode(token).ok()?;
    Some(session::session_id_of(&token))
}
