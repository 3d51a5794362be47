//! Registers an account.

use super::login::LoginContext;
use super::store::NewCredentials;
use super::{Accounts, store};
use crate::db::{DbConnection, Timestamp};
use crate::mail::language::Language;
use crate::problem::{Code, Problem};
use crate::sessions::grant::TokenGrant;
use crate::sessions::session::SessionOpening;
use crate::users::email::Email;
use crate::users::email_change::store::is_reserved;
use crate::users::id::UserId;
use crate::users::password_policy::ChosenPassword;
use crate::users::store as users;
use crate::users::user::User;

/// The values of an account that is to be created.
pub(crate) struct NewAccount {
    pub(crate) email: Email,
    pub(crate) password: ChosenPassword,
    pub(crate) name: Option<String>,
    pub(crate) image: Option<String>,
    /// The language of the user's mails.
    pub(crate) language: Option<Language>,
}

/// Creates the account and its first session.
pub(crate) async fn create(
    accounts: &Accounts,
    account: NewAccount,
    context: LoginContext,
) -> Result<TokenGrant, Problem> {
    let network = context.client.network;
    let reservation = accounts
        .passwords
        .throttle
        .reserve_registration(network, accounts.sessions.now())?;
    let result = create_with_session(accounts, account, context).await;
    // The attempt is also counted if the account already exists, because the response reveals this account.
    let reveals_account = |problem: &Problem| problem.code() == Code::UserAlreadyExists;
    if result.as_ref().map_or_else(reveals_account, |_| true) {
        reservation.spend(accounts.sessions.now());
    }
    result
}

async fn create_with_session(
    accounts: &Accounts,
    account: NewAccount,
    context: LoginContext,
) -> Result<TokenGrant, Problem> {
    let now = accounts.sessions.now();
    let permit = accounts
        .passwords
        .hasher
        .acquire_permit(&context.client)
        .await?;
    // This check follows the wait for the permit, for two reasons: another registration may store the same email
    // address during the wait, and if the queue is full, the response must not reveal whether the email address is
    // registered.
    reject_registered(accounts, &account.email).await?;
    let hash = accounts
        .passwords
        .hasher
        .hash(permit, account.password)
        .await?;

    let (id, created_at) = (UserId::generate(now), Timestamp::from(now));
    let mut new_user = User::new(&id, account.email, account.name, created_at);
    new_user.image = account.image;
    new_user.language = account
        .language
        .map(|language| language.as_str().to_owned());
    let opening = context.into_opening(accounts, &new_user.id, now);
    let (session_id, expires_at) = (opening.session.id.clone(), opening.session.expires_at);
    let credentials = NewCredentials {
        hash: hash.as_str().to_owned(),
    };
    let (user, ended_ids) = insert(accounts, new_user, credentials, opening).await?;
    accounts.sessions.revoke_locally(&ended_ids, now);
    log::info!("registered user_id={}", user.id);
    Ok(TokenGrant {
        user,
        session_id,
        counter: 0,
        issued_at: now,
        expires_at,
    })
}

/// Rejects an email address that already has an account or that an undo reserves, before the password is hashed.
async fn reject_registered(accounts: &Accounts, email: &Email) -> Result<(), Problem> {
    let (email, now) = (email.clone(), accounts.sessions.now().into());
    let query_registration =
        move |connection: &mut DbConnection| {
            Ok(users::is_registered(connection, &email)?
                || is_reserved(connection, &email, None, now)?)
        };
    if accounts.sessions.db.read(query_registration).await? {
        return Err(already_registered());
    }
    Ok(())
}

/// Stores the account and its first session. Returns the user, and the ids of the sessions that ended because the first
/// session replaces them.
async fn insert(
    accounts: &Accounts,
    user: User,
    credentials: NewCredentials,
    opening: SessionOpening,
) -> Result<(User, Vec<String>), Problem> {
    let (ended_ids, user) = accounts
        .sessions
        .db
        .write(move |connection| {
            let ended_ids = store::register(connection, &user, &credentials, &opening)?;
            Ok((ended_ids, user))
        })
        .await?;
    Ok((user, ended_ids.ok_or_else(already_registered)?))
}

fn already_registered() -> Problem {
    Problem::new(
        Code::UserAlreadyExists,
        "An account with this address exists already",
    )
}
