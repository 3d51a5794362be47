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
pub(crate) fn all(request: &HttpRequest, sessions: &Sessions, policy: &HttpPolicy) -> Vec<String> {
    let access = policy.cookies.all_access(request);
    let access = access.filter_map(|token| by_access_token(token, sessions));
    let refresh = policy.cookies.all_refresh(request);
    let refresh = refresh.filter_map(|token| by_refresh_token(token, sessions));
    distinct(access.chain(refresh))
}

/// Returns the ids of the sessions that the access cookie and the refresh cookie name. A cookie that is present twice
/// is treated as absent.
pub(crate) fn unambiguous(
    request: &HttpRequest,
    sessions: &Sessions,
    policy: &HttpPolicy,
) -> Vec<String> {
    let access = Credentials::new(request.headers()).cookie(policy.cookies.access_name());
    let access = access.ok();
    let access = access.and_then(|token| by_access_token(token, sessions));
    let refresh = match policy.cookies.refresh(request) {
        Cookie::One(token) => by_refresh_token(token, sessions),
        Cookie::Absent | Cookie::Ambiguous => None,
    };
    distinct(access.into_iter().chain(refresh))
}

/// Removes duplicates and returns the first [`MAX_SESSIONS`] ids. Pass ids of verified cookies only: forged cookies
/// would otherwise use up the maximum.
pub(crate) fn distinct(ids: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct = Vec::new();
    for id in ids {
        if distinct.len() == MAX_SESSIONS {
            break;
        }
        if !distinct.contains(&id) {
            distinct.push(id);
        }
    }
    distinct
}

/// Returns the session of an access token, which may have expired.
fn by_access_token(token: &str, sessions: &Sessions) -> Option<String> {
    let keys = sessions.keys.current();
    let claims = keys.verifier.verify_for_logout(token, sessions.now());
    let claims = claims.ok()?;
    is_storable(&claims.sub, &claims.sid).then_some(claims.sid)
}

fn by_refresh_token(token: &str, sessions: &Sessions) -> Option<String> {
    let token = sessions.keys.current().refresh_tokens.decode(token).ok()?;
    Some(session::id_of_token(&token))
}
