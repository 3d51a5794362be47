//! Logs a user in.

use std::time::{Duration, SystemTime};

use auth_core::password::PasswordAttempt;

use super::{Accounts, store};
use crate::client::Client;
use crate::mail::settings::EmailVerification;
use crate::metrics::Event;
use crate::problem::{Code, Problem};
use crate::sessions::ending::store::BATCH_SIZE;
use crate::sessions::ending::surplus;
use crate::sessions::grant::TokenGrant;
use crate::sessions::session::{Session, SessionOpening};
use crate::users::email::LoginEmail;
use crate::users::id::UserId;
use crate::users::passwords::AuthenticatedUser;
use crate::users::user::User;

/// The values for a new session, for example after a login or a registration.
pub(crate) struct LoginContext {
    pub(crate) client: Client,
    pub(crate) lifetime: Duration,
    /// The ids of the sessions whose cookies the new session replaces.
    pub(crate) replaced_ids: Vec<String>,
}

impl LoginContext {
    /// Creates the new session, and collects the other values for the transaction that stores this session.
    pub(crate) fn into_opening(
        self,
        accounts: &Accounts,
        user_id: &str,
        now: SystemTime,
    ) -> SessionOpening {
        SessionOpening {
            session: Session::begin(user_id, self.client, now, self.lifetime),
            replaced_ids: self.replaced_ids,
            forget_after: accounts.sessions.forget_after(now),
            lifetimes: accounts.sessions.lifetimes(),
        }
    }
}

/// Opens a session. Fails if the email address is unknown or the password is wrong, after too many wrong passwords, or
/// if the password is right but the email address must be verified first.
pub(crate) async fn log_in(
    accounts: &Accounts,
    email: LoginEmail,
    attempt: PasswordAttempt,
    context: LoginContext,
) -> Result<TokenGrant, Problem> {
    let result = try_log_in(accounts, email, attempt, context).await;
    accounts.sessions.metrics.count(event_of(&result));
    result
}

/// Returns the metrics event for this result.
fn event_of(result: &Result<TokenGrant, Problem>) -> Event {
    match result.as_ref().map_err(Problem::code) {
        Ok(_) => Event::LoginSucceeded,
        Err(Code::InvalidEmailOrPassword) => Event::LoginRefused,
        Err(Code::EmailNotVerified) => Event::LoginUnverified,
        Err(Code::TooManyRequests) => Event::LoginThrottled,
        Err(_) => Event::LoginFailed,
    }
}

async fn try_log_in(
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
    let must_verify = accounts.email_verification == EmailVerification::Required;
    if must_verify && !authenticated.user.email_verified {
        log::info!(
            "login before verification user_id={}",
            authenticated.user.id
        );
        return Err(Problem::email_not_verified());
    }
    let grant = open_session(accounts, authenticated, context).await?;
    log::info!(
        "logged in user_id={} session_id={}",
        grant.user.id,
        grant.session_id
    );
    Ok(grant)
}

/// Stores the new session. Rejects the login if the stored password hash has changed since the entered password was
/// compared with it.
async fn open_session(
    accounts: &Accounts,
    authenticated: AuthenticatedUser,
    context: LoginContext,
) -> Result<TokenGrant, Problem> {
    let now = accounts.sessions.now();
    let AuthenticatedUser {
        user,
        hash,
        new_hash,
    } = authenticated;
    let opening = context.into_opening(accounts, &user.id, now);
    let (session_id, expires_at) = (opening.session.id.clone(), opening.session.expires_at);
    let ended_ids = accounts
        .sessions
        .db
        .write(move |connection| store::open_session(connection, &opening, &hash, &new_hash))
        .await?
        .ok_or_else(Problem::invalid_credentials)?;
    accounts.sessions.metrics.count(Event::SessionOpened);
    apply_ended_sessions(accounts, &user, &session_id, ended_ids).await;
    Ok(TokenGrant {
        user,
        session_id,
        counter: 0,
        issued_at: now,
        expires_at,
    })
}

/// Makes this process reject the access tokens of the sessions that the login's transaction ended. If these are a whole
/// batch, there may be more sessions beyond the account's limit: then ends those as well. If that fails, the login
/// still succeeds, because the next login tries again.
async fn apply_ended_sessions(
    accounts: &Accounts,
    user: &User,
    session_id: &str,
    ended_ids: Vec<String>,
) {
    if ended_ids.is_empty() {
        return;
    }
    accounts
        .sessions
        .revoke_locally(&ended_ids, accounts.sessions.now());
    let is_full_batch = i64::try_from(ended_ids.len()).is_ok_and(|count| count >= BATCH_SIZE);
    let mut ended_count = ended_ids.len();
    if is_full_batch {
        let owner = UserId::stored(user.id.clone());
        match surplus::enforce_limit(&accounts.sessions, &owner, session_id).await {
            Ok(live_count) => ended_count += live_count,
            Err(error) => log::warn!(
                "cannot end the sessions beyond the limit user_id={} cause={error:?}",
                user.id
            ),
        }
    }
    log::info!(
        "login ended earlier sessions user_id={} sessions_ended={ended_count}",
        user.id
    );
}
