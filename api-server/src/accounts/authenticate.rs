//! Comparing a password with the one on record; every way in goes through here.

use auth_core::password::{PasswordAttempt, PasswordHash};

use super::email::LoginEmail;
use super::hasher::Verdict;
use super::store::{self, Credentials};
use super::user::User;
use crate::http::client::Client;
use crate::http::identity::UserId;
use crate::problem::{Code, Problem};
use crate::state::State;

/// A user whose password was right.
pub(crate) struct Authenticated {
    pub(super) user: User,
    /// The hash it was compared with; what follows must only happen while it is still the one on record.
    pub(super) hash: String,
    /// The hash to keep from now on: the same, or one with today's parameters.
    pub(super) keep: String,
}

/// By address. `None` for a wrong password and an unknown address alike, after the same time; 429 after too many.
pub(super) async fn by_email(
    state: &State,
    email: LoginEmail,
    attempt: PasswordAttempt,
    client: &Client,
) -> Result<Option<Authenticated>, Problem> {
    compare_counted(state, email, None, attempt, client).await
}

/// Counts the attempt before its work is done, so that attempts in parallel cannot overshoot.
async fn compare_counted(
    state: &State,
    email: LoginEmail,
    session_id: Option<&str>,
    attempt: PasswordAttempt,
    client: &Client,
) -> Result<Option<Authenticated>, Problem> {
    let now = state.now();
    let guess = state
        .throttle
        .guess(email.email(), session_id, client.network, now)?;
    let found = state
        .db
        .run(move |connection| store::find_by_email(connection, &email))
        .await?;
    let authenticated = compare(state, found, attempt, client).await?;
    match &authenticated {
        None => guess.failed(now),
        Some(_) => guess.succeeded(now),
    }
    Ok(authenticated)
}

/// Somebody who is known but must also know the password.
pub(crate) async fn again(
    state: &State,
    user_id: &UserId,
    session_id: &str,
    attempt: PasswordAttempt,
    client: &Client,
) -> Result<Authenticated, Problem> {
    let id = user_id.clone();
    let user = state
        .db
        .run(move |connection| store::find(connection, &id))
        .await?;
    let user = user.ok_or_else(Problem::account_is_gone)?;
    let email = LoginEmail::stored(user.email);
    let authenticated = compare_counted(state, email, Some(session_id), attempt, client).await?;
    authenticated
        .filter(|authenticated| authenticated.user.id == user_id.as_str())
        .ok_or_else(|| {
            log::info!("password refused user_id={}", user_id.as_str());
            Problem::new(Code::InvalidPassword, "The current password is wrong")
        })
}

/// One path for known and unknown addresses and for accounts without a password: a wrong password costs at least one
/// bcrypt of today's cost in each.
async fn compare(
    state: &State,
    found: Option<Credentials>,
    attempt: PasswordAttempt,
    client: &Client,
) -> Result<Option<Authenticated>, Problem> {
    let (user, stored) = split(found)?;
    let verdict = state.hasher.check(attempt, stored.clone(), client).await?;
    let (Some(user), Some(stored), Verdict::Right { rehashed }) = (user, stored, verdict) else {
        return Ok(None);
    };
    let keep = rehashed.as_ref().unwrap_or(&stored).as_str().to_owned();
    Ok(Some(Authenticated {
        user,
        keep,
        hash: stored.as_str().to_owned(),
    }))
}

fn split(found: Option<Credentials>) -> Result<(Option<User>, Option<PasswordHash>), Problem> {
    let Some((user, hash)) = found else {
        return Ok((None, None));
    };
    let hash = hash.map(|text| PasswordHash::parse(&text)).transpose()?;
    Ok((Some(user), hash))
}
