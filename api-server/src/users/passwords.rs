//! Passwords: compared with the one on record, or hashed to be stored. Every way in goes through here.

use auth_core::password::{PasswordAttempt, PasswordHash};

use super::email::LoginEmail;
use super::hasher::{Hasher, PasswordCheck};
use super::id::UserId;
use super::password_policy::PasswordPolicy;
use super::store::{self, Credentials};
use super::throttle::Throttle;
use super::user::User;
use crate::client::Client;
use crate::clock::Clock;
use crate::db::Db;
use crate::problem::{Code, Problem};

/// What handlers share of passwords.
pub(crate) struct Passwords {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) hasher: Hasher,
    pub(crate) policy: PasswordPolicy,
    pub(crate) throttle: Throttle,
}

/// A user whose password was right.
pub(crate) struct Authenticated {
    pub(crate) user: User,
    /// The hash it was compared with; what follows must only happen while it is still the one on record.
    pub(crate) hash: String,
    /// The hash to keep from now on: the same, or one with today's parameters.
    pub(crate) new_hash: String,
}

impl Passwords {
    /// Authenticates by address. `None` for a wrong password and an unknown address alike, after the same time; 429 after
    /// too many.
    pub(crate) async fn authenticate(
        &self,
        email: LoginEmail,
        attempt: PasswordAttempt,
        client: &Client,
    ) -> Result<Option<Authenticated>, Problem> {
        self.compare_counted(email, None, attempt, client).await
    }

    /// Counts the attempt before its work is done, so that attempts in parallel cannot overshoot.
    async fn compare_counted(
        &self,
        email: LoginEmail,
        session_id: Option<&str>,
        attempt: PasswordAttempt,
        client: &Client,
    ) -> Result<Option<Authenticated>, Problem> {
        let now = self.clock.now();
        let guess = self
            .throttle
            .guess(email.email(), session_id, client.network, now)?;
        let found = self
            .db
            .read(move |connection| store::find_by_email(connection, &email))
            .await?;
        let authenticated = self.compare(found, attempt, client).await?;
        match &authenticated {
            None => guess.failed(self.clock.now()),
            Some(_) => guess.succeeded(self.clock.now()),
        }
        Ok(authenticated)
    }

    /// Asks a signed-in user for the password once more.
    pub(crate) async fn confirm(
        &self,
        user_id: &UserId,
        session_id: &str,
        attempt: PasswordAttempt,
        client: &Client,
    ) -> Result<Authenticated, Problem> {
        let id = user_id.clone();
        let user = self
            .db
            .read(move |connection| store::find(connection, &id))
            .await?;
        let user = user.ok_or_else(Problem::account_missing)?;
        let email = LoginEmail::stored(user.email);
        let compared = self.compare_counted(email, Some(session_id), attempt, client);
        let authenticated = compared.await?;
        authenticated
            .filter(|authenticated| authenticated.user.id == user_id.as_str())
            .ok_or_else(|| {
                log::info!("password refused user_id={}", user_id.as_str());
                Problem::new(Code::InvalidPassword, "The current password is wrong")
            })
    }

    /// Compares on one path for known and unknown addresses and for accounts without a password: a wrong password costs at
    /// least one bcrypt of today's cost in each.
    async fn compare(
        &self,
        found: Option<Credentials>,
        attempt: PasswordAttempt,
        client: &Client,
    ) -> Result<Option<Authenticated>, Problem> {
        let (user, stored) = split(found)?;
        let result = self.hasher.check(attempt, stored.clone(), client).await?;
        let (Some(user), Some(stored), PasswordCheck::Right { rehashed }) = (user, stored, result)
        else {
            return Ok(None);
        };
        let new_hash = rehashed.as_ref().unwrap_or(&stored).as_str().to_owned();
        Ok(Some(Authenticated {
            user,
            new_hash,
            hash: stored.as_str().to_owned(),
        }))
    }
}

fn split(found: Option<Credentials>) -> Result<(Option<User>, Option<PasswordHash>), Problem> {
    let Some((user, hash)) = found else {
        return Ok((None, None));
    };
    let hash = hash.map(|text| PasswordHash::parse(&text)).transpose()?;
    Ok((Some(user), hash))
}
