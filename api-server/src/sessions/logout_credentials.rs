//! What a logout may be asked with: credentials that are good now, and old ones that only name their session.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use auth_core::credentials::CredentialSource;
use auth_core::refresh::RefreshToken;

use super::session::{self, Lifetimes, StoredSession};
use super::store;
use crate::db::{DbConnection, QueryResult, Timestamp};
use crate::http::caller::{access_token, is_storable};
use crate::http::cookies::Cookie;
use crate::state::State;

/// A credential with a good MAC.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(super) session_id: String,
    proof: Proof,
}

/// How to tell whether the credential is good now, provided that its session is live.
#[derive(Debug, Clone, Copy)]
enum Proof {
    /// It is.
    Good,
    /// It is not.
    Stale,
    /// It is if the session has this counter, or the next.
    Counter(u32),
}

impl Credential {
    /// One of a session that was just found to be live.
    pub(crate) fn good(session_id: String) -> Self {
        Self {
            session_id,
            proof: Proof::Good,
        }
    }

    fn refresh(token: &RefreshToken) -> Self {
        Self {
            session_id: session::named_by(token),
            proof: Proof::Counter(token.counter),
        }
    }

    /// The live session, if the credential is good now.
    pub(super) fn live_session(
        &self,
        connection: &mut DbConnection,
        (now, lifetimes): (Timestamp, Lifetimes),
    ) -> QueryResult<Option<StoredSession>> {
        let found = store::find(connection, &self.session_id, lifetimes)?;
        Ok(found.filter(|session| session.is_live(now) && self.is_good(session)))
    }

    fn is_good(&self, session: &StoredSession) -> bool {
        match self.proof {
            Proof::Good => true,
            Proof::Stale => false,
            // The current token, or its direct predecessor whose response may be lost.
            Proof::Counter(presented) => {
                let current = session.rotation.counter;
                presented == current || presented.checked_add(1) == Some(current)
            }
        }
    }
}

/// The first live session that one of these credentials is good for.
pub(super) fn first_good(
    connection: &mut DbConnection,
    credentials: &[Credential],
    when: (Timestamp, Lifetimes),
) -> QueryResult<Option<StoredSession>> {
    for credential in credentials {
        if let Some(session) = credential.live_session(connection, when)? {
            return Ok(Some(session));
        }
    }
    Ok(None)
}

/// What a request presents, by precedence: header, body; without a header the body, else access cookie, refresh cookie.
/// With a header, good or bad, the cookies do not count.
pub(super) fn presented(
    request: &HttpRequest,
    state: &State,
    body: Option<&str>,
) -> (Vec<Credential>, CredentialSource) {
    let keys = state.keys.in_force();
    let by_body = body.and_then(|text| keys.refresh_tokens.decode(text).ok());
    let by_body = by_body.as_ref().map(Credential::refresh);
    if request.headers().contains_key(AUTHORIZATION) {
        let by_header = by_access_token(request, state);
        let both = by_header.into_iter().chain(by_body);
        return (both.collect(), CredentialSource::Body);
    }
    if let Some(by_body) = by_body {
        return (vec![by_body], CredentialSource::Body);
    }
    let by_cookie = match state.cookies.refresh(request) {
        Cookie::One(text) => keys.refresh_tokens.decode(text).ok(),
        Cookie::Absent | Cookie::Ambiguous => None,
    };
    let by_cookie = by_cookie.as_ref().map(Credential::refresh);
    let both = by_access_token(request, state).into_iter().chain(by_cookie);
    (both.collect(), CredentialSource::Cookie)
}

fn by_access_token(request: &HttpRequest, state: &State) -> Option<Credential> {
    let keys = state.keys.in_force();
    let now = state.now();
    let (token, _) = access_token(request, state).ok()?;
    let (claims, proof) = match keys.verifier.verify(token, now) {
        Ok(claims) => (claims, Proof::Good),
        Err(_old_or_bad) => {
            let claims = keys.verifier.verify_for_logout(token, now).ok()?;
            (claims, Proof::Stale)
        }
    };
    is_storable(&claims.sub, &claims.sid).then_some(Credential {
        session_id: claims.sid,
        proof,
    })
}
