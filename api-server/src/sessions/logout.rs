//! Logging out: credentials that are good now, old ones that only name their session, and what each may end.

use auth_core::refresh::RefreshToken;
use serde::Deserialize;
use utoipa::ToSchema;

use super::ending::store::{self as ending, Ended, SessionFilter};
use super::ending::surplus;
use super::session::{self, Lifetimes, StoredSession};
use super::{Sessions, store};
use crate::db::{DbConnection, QueryResult, Timestamp, write_transaction};
use crate::problem::Problem;
use crate::users::id::UserId;

/// Which sessions to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    #[default]
    Current,
    Others,
    All,
}

/// A credential with a good MAC.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    session_id: String,
    proof: Proof,
}

/// How to tell whether the credential is good now, provided that its session is live.
#[derive(Debug, Clone, Copy)]
enum Proof {
    /// It is.
    Current,
    /// It is not.
    Stale,
    /// It is if the session has this counter, or the next.
    Counter(u32),
}

impl Credential {
    /// One of a session that was just found to be live.
    pub(crate) fn current(session_id: String) -> Self {
        Self {
            session_id,
            proof: Proof::Current,
        }
    }

    /// One that only names its session.
    pub(crate) fn stale(session_id: String) -> Self {
        Self {
            session_id,
            proof: Proof::Stale,
        }
    }

    pub(crate) fn refresh(token: &RefreshToken) -> Self {
        Self {
            session_id: session::named_by(token),
            proof: Proof::Counter(token.counter),
        }
    }

    /// The live session, if the credential is good now.
    fn live_session(
        &self,
        connection: &mut DbConnection,
        (now, lifetimes): (Timestamp, Lifetimes),
    ) -> QueryResult<Option<StoredSession>> {
        let found = store::find(connection, &self.session_id, lifetimes)?;
        Ok(found.filter(|session| session.is_live(now) && self.is_current(session)))
    }

    fn is_current(&self, session: &StoredSession) -> bool {
        match self.proof {
            Proof::Current => true,
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
fn first_current(
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

/// Ends what the scope says, in the transaction that checks the credentials. `others` and `all` need one that is good now;
/// a stale one reaches no session but its own. How many live sessions were ended.
pub(crate) async fn end(
    sessions: &Sessions,
    credentials: Vec<Credential>,
    scope: Scope,
) -> Result<usize, Problem> {
    let now = sessions.now();
    let (times, lifetimes) = (
        (now.into(), sessions.forget_after(now)),
        sessions.lifetimes(),
    );
    let surplus = match scope {
        Scope::Current => 0,
        Scope::Others | Scope::All => end_surplus(sessions, &credentials).await?,
    };
    let ended = sessions
        .db
        .write(move |connection| {
            end_in_transaction(connection, &credentials, scope, times, lifetimes)
        })
        .await?;
    sessions.revoke_locally(&ended.ids, now);
    let count = surplus + ended.live;
    log::info!("logged out scope={scope:?} sessions_ended={count}");
    Ok(count)
}

async fn end_surplus(sessions: &Sessions, credentials: &[Credential]) -> Result<usize, Problem> {
    let credentials = credentials.to_vec();
    let when = (sessions.now().into(), sessions.lifetimes());
    let found = sessions
        .db
        .read(move |connection| first_current(connection, &credentials, when))
        .await?;
    let Some(session) = found else {
        return Ok(0);
    };
    let user = UserId::stored(session.user_id);
    Ok(surplus::end_most(sessions, &user, &session.id).await?)
}

fn end_in_transaction(
    connection: &mut DbConnection,
    credentials: &[Credential],
    scope: Scope,
    times: (Timestamp, Timestamp),
    lifetimes: Lifetimes,
) -> QueryResult<Ended> {
    write_transaction(connection, |connection| {
        if scope != Scope::Current
            && let Some(session) = first_current(connection, credentials, (times.0, lifetimes))?
        {
            let user = UserId::stored(session.user_id);
            let filter = match scope {
                Scope::Others => SessionFilter::AllOfUserExcept(&user, &session.id),
                Scope::Current | Scope::All => SessionFilter::AllOfUser(&user),
            };
            return ending::end_and_count(connection, &filter, times, lifetimes);
        }
        match credentials.first() {
            Some(named) if scope != Scope::Others => {
                let filter = SessionFilter::ById(&named.session_id);
                ending::end_and_count(connection, &filter, times, lifetimes)
            }
            _ => Ok(Ended::default()),
        }
    })
}
