//! Logs a user in.

use std::time::{Duration, SystemTime};

use auth_core::password::PasswordAttempt;

use super::{Accounts, store};
use crate::client::Client;
use crate::problem::Problem;
use crate::sessions::ending::store::BATCH_SIZE;
use crate::sessions::ending::surplus;
use crate::sessions::grant::TokenGrant;
use crate::sessions::session::{Opening, Session};
use crate::users::email::LoginEmail;
use crate::users::id::UserId;
use crate::users::passwords::Authenticated;
use crate::users::user::User;

/// Describes the session that a login opens.
pub(crate) struct LoginContext {
    pub(crate) client: Client,
    pub(crate) lifetime: Duration,
    /// The sessions whose cookies the cookie of the new session replaces.
    pub(crate) replaced: Vec<String>,
}

impl LoginContext {
    /// Makes the new session, with what the database needs to store it.
    pub(crate) fn opening(self, accounts: &Accounts, user_id: &str, now: SystemTime) -> Opening {
        Opening {
            session: Session::begin(user_id, self.client, now, self.lifetime),
            replaced: self.replaced,
            forget_after: accounts.sessions.forget_after(now),
            lifetimes: accounts.sessions.lifetimes(),
        }
    }
}

/// Opens a session if the email address and the password are right.
pub(crate) async fn log_in(
    accounts: &Accounts,
    email: LoginEmail,
    attempt: PasswordAttempt,
    context: LoginContext,
) -> Result<TokenGrant, Problem> {
    let client = &context.client;
    let Some(authenticated) = accounts
        .passwords
        .authenticate(email, attempt, client)
        .await?
    else {
        log::info!("login refused ip_address={:?}", client.ip_address);
        return Err(Problem::invalid_credentials());
    };
    let granted = open_session(accounts, authenticated, context).await?;
    log::info!(
        "logged in user_id={} session_id={}",
        granted.user.id,
        granted.session_id
    );
    Ok(granted)
}

/// Stores the session. Rejects the login if the password was changed while the login was in progress.
async fn open_session(
    accounts: &Accounts,
    authenticated: Authenticated,
    context: LoginContext,
) -> Result<TokenGrant, Problem> {
    let now = accounts.sessions.now();
    let Authenticated {
        user,
        hash,
        new_hash,
    } = authenticated;
    let opening = context.opening(accounts, &user.id, now);
    let (session_id, expires_at) = (opening.session.id.clone(), opening.session.expires_at);
    let opened = accounts
        .sessions
        .db
        .write(move |connection| store::open_session(connection, &opening, &hash, &new_hash))
        .await?;
    let ended = opened.ok_or_else(Problem::invalid_credentials)?;
    end_surplus(accounts, &user, &session_id, ended).await;
    Ok(TokenGrant {
        user,
        session_id,
        counter: 0,
        issued_at: now,
        expires_at,
    })
}

/// Revokes, in this process, the sessions that the transaction ended to keep the account within its limit. If they fill
/// a batch, ends the remaining ones too. A failure here does not fail the login: the next login ends the rest.
async fn end_surplus(accounts: &Accounts, user: &User, session_id: &str, ended: Vec<String>) {
    if ended.is_empty() {
        return;
    }
    accounts
        .sessions
        .revoke_locally(&ended, accounts.sessions.now());
    let is_full_batch = i64::try_from(ended.len()).is_ok_and(|count| count >= BATCH_SIZE);
    let mut count = ended.len();
    if is_full_batch {
        let owner = UserId::stored(user.id.clone());
        match surplus::enforce_limit(&accounts.sessions, &owner, session_id).await {
            Ok(further) => count += further,
            Err(error) => log::warn!(
                "sessions beyond the limit stay user_id={} cause={error:?}",
                user.id
            ),
        }
    }
    log::info!(
        "sessions beyond the limit ended user_id={} sessions_ended={count}",
        user.id
    );
}
