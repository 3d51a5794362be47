//! Compares entered passwords with stored hashes, for every login and every confirmation of a password.

use auth_core::password::{PasswordAttempt, PasswordHash};

use super::email::LoginEmail;
use super::hasher::{Hasher, PasswordCheck};
use super::id::UserId;
use super::password_policy::PasswordPolicy;
use super::store::{self, UserWithHash};
use super::throttle::Throttle;
use super::user::User;
use crate::client::Client;
use crate::clock::Clock;
use crate::db::Db;
use crate::problem::{Code, Problem};

/// The database, clock, hasher and limits with which handlers check and set passwords.
pub(crate) struct Passwords {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) hasher: Hasher,
    pub(crate) policy: PasswordPolicy,
    pub(crate) throttle: Throttle,
}

/// A user who entered the right password.
pub(crate) struct AuthenticatedUser {
    pub(crate) user: User,
    /// The hash that the password was compared with. The caller's next write must check that this hash is still stored.
    pub(crate) hash: String,
    /// The hash to store: the same hash, or a new hash if the old hash is of another program or cost.
    pub(crate) new_hash: String,
}

impl Passwords {
    /// Authenticates a user by email address. Returns `None` for a wrong password, an unknown email address, or an
    /// account without a password. After too many failures, the error has status 429.
    pub(crate) async fn authenticate(
        &self,
        email: LoginEmail,
        attempt: PasswordAttempt,
        client: &Client,
    ) -> Result<Option<AuthenticatedUser>, Problem> {
        self.compare_and_record(email, None, attempt, client).await
    }

    /// Compares the password, and records the failure or the success. The comparison is reserved before it starts, so
    /// that concurrent comparisons cannot exceed the limits of failures.
    async fn compare_and_record(
        &self,
        email: LoginEmail,
        session_id: Option<&str>,
        attempt: PasswordAttempt,
        client: &Client,
    ) -> Result<Option<AuthenticatedUser>, Problem> {
        let now = self.clock.now();
        let reservation =
            self.throttle
                .reserve_guess(email.email(), session_id, client.network, now)?;
        let credentials = self
            .db
            .of_network(client.network)
            .read(move |connection| store::find_by_email(connection, &email))
            .await?;
        let authenticated = self.compare(credentials, attempt, client).await?;
        match &authenticated {
            None => reservation.record_failure(self.clock.now()),
            Some(_) => reservation.record_success(self.clock.now()),
        }
        Ok(authenticated)
    }

    /// Checks the password of a user who is signed in. Fails if the password is wrong.
    pub(crate) async fn confirm(
        &self,
        user_id: &UserId,
        session_id: &str,
        attempt: PasswordAttempt,
        client: &Client,
    ) -> Result<AuthenticatedUser, Problem> {
        let id = user_id.clone();
        let user = self
            .db
            .of_network(client.network)
            .read(move |connection| store::find(connection, &id))
            .await?
            .ok_or_else(Problem::account_missing)?;
        let email = LoginEmail::stored(user.email);
        let comparison = self.compare_and_record(email, Some(session_id), attempt, client);
        let authenticated = comparison.await?;
        authenticated
            .filter(|authenticated| authenticated.user.id == user_id.as_str())
            .ok_or_else(|| {
                log::info!("password refused user_id={}", user_id.as_str());
                Problem::new(Code::InvalidPassword, "The current password is wrong")
            })
    }

    /// Compares the password with the hash of the account, or with a hash that no password matches if there is no
    /// account or the account has no password. Every failed comparison takes at least one bcrypt of the configured
    /// cost, so no fast response reveals that there is no account.
    async fn compare(
        &self,
        credentials: Option<UserWithHash>,
        attempt: PasswordAttempt,
        client: &Client,
    ) -> Result<Option<AuthenticatedUser>, Problem> {
        let (user, old_hash) = split_credentials(credentials)?;
        let result = self.hasher.check(attempt, old_hash.clone(), client).await?;
        let (Some(user), Some(hash), PasswordCheck::Right { rehashed }) = (user, old_hash, result)
        else {
            return Ok(None);
        };
        let new_hash = rehashed.as_ref().unwrap_or(&hash).as_str().to_owned();
        Ok(Some(AuthenticatedUser {
            user,
            new_hash,
            hash: hash.as_str().to_owned(),
        }))
    }
}

/// Returns the user and the parsed password hash separately.
fn split_credentials(
    credentials: Option<UserWithHash>,
) -> Result<(Option<User>, Option<PasswordHash>), Problem> {
    let Some((user, hash_text)) = credentials else {
        return Ok((None, None));
    };
    let hash = hash_text.as_deref().map(PasswordHash::parse).transpose()?;
    Ok((Some(user), hash))
}
