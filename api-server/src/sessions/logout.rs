//! Logs out. A credential that is valid now may end all sessions of the user. A credential that is no longer valid,
//! such as an expired access token, may end only its own session.

use auth_core::refresh::RefreshToken;
use serde::Deserialize;
use utoipa::ToSchema;

use super::ending::store::{self as ending, EndedSessions, SessionFilter};
use super::ending::surplus;
use super::session::{self, SessionTimes, StoredSession};
use super::{Sessions, store};
use crate::db::{DbConnection, DbShare, QueryResult, write_transaction};
use crate::network::Network;
use crate::problem::Problem;
use crate::users::id::UserId;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Scope)]
pub(crate) enum LogoutScope {
    #[default]
    Current,
    Others,
    All,
}

/// The session of a token or a cookie whose signature or MAC was verified, and what the token or the cookie may end.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    session_id: String,
    validity: Validity,
}

/// The validity of a credential while its session is live.
#[derive(Debug, Clone, Copy)]
enum Validity {
    Valid,
    Unproven,
    /// The credential is a refresh token with this counter. The token is valid if the session has the same or the next
    /// counter.
    IfCounterIsRecent(u32),
}

impl Credential {
    /// Creates a credential that is valid as long as its session is live.
    pub(crate) fn valid(session_id: String) -> Self {
        Self {
            session_id,
            validity: Validity::Valid,
        }
    }

    /// Creates a credential that may end only its own session, because it is not valid or its validity was not checked.
    pub(crate) fn limited(session_id: String) -> Self {
        Self {
            session_id,
            validity: Validity::Unproven,
        }
    }

    /// Creates a credential from a refresh token. The token is valid until the second rotation after it was issued.
    pub(crate) fn from_refresh_token(token: &RefreshToken) -> Self {
        Self {
            session_id: session::session_id_of(token),
            validity: Validity::IfCounterIsRecent(token.counter),
        }
    }

    /// Returns the session of the credential, if the session is live and the credential is valid now.
    fn live_session(
        &self,
        connection: &mut DbConnection,
        times: SessionTimes,
    ) -> QueryResult<Option<StoredSession>> {
        let session = store::find(connection, &self.session_id, times.lifetimes)?;
        Ok(session.filter(|session| session.is_live(times.now) && self.is_valid_for(session)))
    }

    fn is_valid_for(&self, session: &StoredSession) -> bool {
        match self.validity {
            Validity::Valid => true,
            Validity::Unproven => false,
            // The previous token is valid too, because the response with the current token may have been lost.
            Validity::IfCounterIsRecent(token_counter) => {
                let current_counter = session.rotation.counter;
                token_counter == current_counter
                    || token_counter.checked_add(1) == Some(current_counter)
            }
        }
    }
}

/// Returns the live session of the first credential that is valid now.
fn first_live_session(
    connection: &mut DbConnection,
    credentials: &[Credential],
    times: SessionTimes,
) -> QueryResult<Option<StoredSession>> {
    for credential in credentials {
        if let Some(session) = credential.live_session(connection, times)? {
            return Ok(Some(session));
        }
    }
    Ok(None)
}

/// Ends the sessions that the scope selects. Returns how many of these sessions were live.
///
/// `Current` ends the session of the first credential, valid or not. If no credential is valid now, `All` ends only
/// that session, and `Others` ends none.
///
/// For `Others` and `All`, the transaction that ends the sessions also checks the credentials. If the user has more
/// sessions than one transaction should end, earlier transactions end most sessions, after an additional check of the
/// credentials.
pub(crate) async fn end(
    sessions: &Sessions,
    credentials: Vec<Credential>,
    scope: LogoutScope,
    network: Option<Network>,
) -> Result<usize, Problem> {
    let now = sessions.now();
    let times = sessions.times(now);
    let surplus_count = match scope {
        LogoutScope::Current => 0,
        LogoutScope::Others | LogoutScope::All => {
            end_most_if_valid(sessions, &credentials, scope, network).await?
        }
    };
    let ended_sessions = db_of(sessions, &credentials, scope, network)
        .write(move |connection| end_in_transaction(connection, &credentials, scope, times))
        .await?;
    sessions.revoke_locally(&ended_sessions.ids, now);
    let ended_count = surplus_count + ended_sessions.live_count;
    if ended_count > 0 {
        log::info!("logged out scope={scope:?} sessions_ended={ended_count}");
    }
    Ok(ended_count)
}

/// Returns access to the database. A logout with the scope `Others` leaves its credential valid and can be repeated, so
/// it counts towards the limits of the account if the session was recorded recently. Other logouts count towards the
/// limits of the network: a thief whose requests use up the limits of the account must not be able to prevent a logout.
fn db_of<'s>(
    sessions: &'s Sessions,
    credentials: &[Credential],
    scope: LogoutScope,
    network: Option<Network>,
) -> DbShare<'s> {
    match credentials.first() {
        Some(credential) if scope == LogoutScope::Others => sessions
            .db
            .of_session_or_network(&credential.session_id, || network),
        _ => sessions.db.of_network(network),
    }
}

/// Ends most sessions of the user if they are too many for one transaction. Returns how many of the ended sessions were
/// live; 0 if no credential is valid now.
async fn end_most_if_valid(
    sessions: &Sessions,
    credentials: &[Credential],
    scope: LogoutScope,
    network: Option<Network>,
) -> Result<usize, Problem> {
    let credentials = credentials.to_vec();
    let times = sessions.times(sessions.now());
    let live_session = db_of(sessions, &credentials, scope, network)
        .read(move |connection| first_live_session(connection, &credentials, times))
        .await?;
    let Some(session) = live_session else {
        return Ok(0);
    };
    let user = UserId::stored(session.user_id);
    Ok(surplus::end_most(sessions, &user, &session.id).await?)
}

fn end_in_transaction(
    connection: &mut DbConnection,
    credentials: &[Credential],
    scope: LogoutScope,
    times: SessionTimes,
) -> QueryResult<EndedSessions> {
    // `end_first` begins a transaction itself. Inside another transaction, this would be a savepoint, which takes two
    // more statements.
    if scope == LogoutScope::Current {
        return end_first(connection, credentials, times);
    }
    write_transaction(connection, |connection| {
        if let Some(session) = first_live_session(connection, credentials, times)? {
            let user = UserId::stored(session.user_id);
            let filter = match scope {
                LogoutScope::Others => SessionFilter::AllOfUserExcept(&user, &session.id),
                LogoutScope::Current | LogoutScope::All => SessionFilter::AllOfUser(&user),
            };
            return ending::end_and_count_live(connection, &filter, times);
        }
        match scope {
            LogoutScope::Others => Ok(EndedSessions::default()),
            LogoutScope::Current | LogoutScope::All => end_first(connection, credentials, times),
        }
    })
}

/// Ends the session of the first credential, valid or not.
fn end_first(
    connection: &mut DbConnection,
    credentials: &[Credential],
    times: SessionTimes,
) -> QueryResult<EndedSessions> {
    let Some(credential) = credentials.first() else {
        return Ok(EndedSessions::default());
    };
    let filter = SessionFilter::ById(&credential.session_id);
    ending::end_and_count_live(connection, &filter, times)
}
