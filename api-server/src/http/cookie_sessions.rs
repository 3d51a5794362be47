//! Reads session ids from the access tokens and refresh tokens in the cookies of a request.

use actix_web::HttpRequest;
use auth_core::credentials::Credentials;

use super::caller::are_ids_storable;
use super::cookies::CookieLookup;
use super::policy::HttpPolicy;
use crate::sessions::{Sessions, session};

/// The most session ids that are read from the cookies of one request.
const MAX_SESSION_IDS: usize = 8;

/// Returns the session ids of all access and refresh cookies with valid signatures, even of cookies with equal names.
/// Returns at most [`MAX_SESSION_IDS`].
pub(crate) fn session_ids_of_all_cookies(
    request: &HttpRequest,
    sessions: &Sessions,
    policy: &HttpPolicy,
) -> Vec<String> {
    let access_tokens = policy.cookie_format.access_values(request);
    let access_ids = access_tokens.filter_map(|token| session_id_in_access_token(token, sessions));
    let refresh_tokens = policy.cookie_format.refresh_values(request);
    let refresh_ids =
        refresh_tokens.filter_map(|token| session_id_in_refresh_token(token, sessions));
    first_distinct_ids(access_ids.chain(refresh_ids))
}

/// Returns the session ids of the access cookie and the refresh cookie, if their signatures are valid. A cookie that is
/// present twice is treated as absent.
pub(crate) fn session_ids_of_unambiguous_cookies(
    request: &HttpRequest,
    sessions: &Sessions,
    policy: &HttpPolicy,
) -> Vec<String> {
    let access_cookie =
        Credentials::new(request.headers()).cookie(policy.cookie_format.access_name());
    let access_token = access_cookie.ok();
    let access_id = access_token.and_then(|token| session_id_in_access_token(token, sessions));
    let refresh_id = match policy.cookie_format.find_refresh(request) {
        CookieLookup::Unique(token) => session_id_in_refresh_token(token, sessions),
        CookieLookup::Absent | CookieLookup::Ambiguous => None,
    };
    first_distinct_ids(access_id.into_iter().chain(refresh_id))
}

/// Removes duplicates and returns the first [`MAX_SESSION_IDS`] ids. Pass ids from verified cookies only, because
/// forged cookies could use up the maximum.
pub(crate) fn first_distinct_ids(ids: impl Iterator<Item = String>) -> Vec<String> {
    let mut unique_ids = Vec::new();
    for id in ids {
        if unique_ids.len() == MAX_SESSION_IDS {
            break;
        }
        if !unique_ids.contains(&id) {
            unique_ids.push(id);
        }
    }
    unique_ids
}

/// Returns the session id in an access token. The token may have expired, but its signature must be valid.
fn session_id_in_access_token(token: &str, sessions: &Sessions) -> Option<String> {
    let keys = sessions.keys.current();
    let verified = keys.verifier.verify_for_logout(token, sessions.now());
    verified.ok().filter(are_ids_storable)?.sid
}

fn session_id_in_refresh_token(token: &str, sessions: &Sessions) -> Option<String> {
    let decoded = sessions.keys.current().refresh_tokens.decode(token);
    Some(session::session_id_of(&decoded.ok()?))
}
