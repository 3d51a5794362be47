//! The sessions that the cookies of a request name.

use actix_web::HttpRequest;
use auth_core::credentials::Credentials;

use super::caller::is_storable;
use super::cookies::Cookie;
use super::policy::HttpPolicy;
use crate::sessions::{Sessions, session};

/// The sessions that one request may name by cookies.
const MAX_NAMED: usize = 8;

/// Every session that a genuine cookie names, even if the cookie came more than once.
pub(crate) fn all(request: &HttpRequest, sessions: &Sessions, policy: &HttpPolicy) -> Vec<String> {
    let access = policy.cookies.all_access(request);
    let access = access.filter_map(|token| by_access_token(token, sessions));
    let refresh = policy.cookies.all_refresh(request);
    let refresh = refresh.filter_map(|token| by_refresh_token(token, sessions));
    distinct(access.chain(refresh))
}

/// The sessions that the access cookie and the refresh cookie name. A cookie that came twice counts as absent.
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

/// The first ids that differ, up to a bound. What is counted must be genuine: junk would hide it.
pub(crate) fn distinct(ids: impl Iterator<Item = String>) -> Vec<String> {
    let mut found = Vec::new();
    for id in ids {
        if found.len() == MAX_NAMED {
            break;
        }
        if !found.contains(&id) {
            found.push(id);
        }
    }
    found
}

/// The token may have expired: it still says which session the browser had.
fn by_access_token(token: &str, sessions: &Sessions) -> Option<String> {
    let keys = sessions.keys.current();
    let claims = keys.verifier.verify_for_logout(token, sessions.now());
    let claims = claims.ok()?;
    is_storable(&claims.sub, &claims.sid).then_some(claims.sid)
}

fn by_refresh_token(token: &str, sessions: &Sessions) -> Option<String> {
    let token = sessions.keys.current().refresh_tokens.decode(token).ok()?;
    Some(session::named_by(&token))
}
