//! Registers an account.

use std::time::SystemTime;

use super::login::LoginContext;
use super::mail_request::MailChallenge;
use super::store::{NewCredentials, NewRegistration};
use super::time_slot::delay_until_end_of_slot;
use super::{Accounts, store};
use crate::client::Client;
use crate::db::{DbConnection, Timestamp};
use crate::mail::kind::MailKind;
use crate::mail::language::Language;
use crate::mail::outbox::NewMail;
use crate::mail::settings::EmailVerification;
use crate::metrics::Event;
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
    pub(crate) name: Option<String>,
    pub(crate) image: Option<String>,
    /// The language of the user's mails.
    pub(crate) language: Option<Language>,
    /// The URL to which the page of the link redirects after the verification.
    pub(crate) callback_url: Option<String>,
}

/// The result of a registration.
pub(crate) enum Registration {
    /// The account was created, and its first session has begun.
    LoggedIn(Box<TokenGrant>),
    /// The user must verify the email address before the first login.
    Unverified(Box<UnverifiedRegistration>),
}

/// The result of a registration without a session. It does not show whether the email address was free.
pub(crate) struct UnverifiedRegistration {
    pub(crate) challenge: MailChallenge,
    /// The new user. If the email address already has an account or is reserved, this user was not stored.
    pub(crate) user: User,
}

/// Creates the account. Begins its first session, unless the email address must be verified first.
pub(crate) async fn create(
    accounts: &Accounts,
    account: NewAccount,
    password: ChosenPassword,
    context: LoginContext,
) -> Result<Registration, Problem> {
    let network = context.client.network;
    let reservation = accounts
        .passwords
        .throttle
        .reserve_registration(network, accounts.sessions.now())?;
    let result = match accounts.email_verification {
        EmailVerification::Required => {
            create_unverified(accounts, account, password, &context.client).await
        }
        EmailVerification::Off | EmailVerification::Optional => {
            create_with_session(accounts, account, password, context).await
        }
    };
    // The attempt is also counted if the account already exists, because the response reveals this account.
    let reveals_account = |problem: &Problem| problem.code() == Code::UserAlreadyExists;
    if result.as_ref().map_or_else(reveals_account, |_| true) {
        reservation.count(accounts.sessions.now());
    }
    result
}

async fn create_with_session(
    accounts: &Accounts,
    account: NewAccount,
    password: ChosenPassword,
    context: LoginContext,
) -> Result<Registration, Problem> {
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
    let hash = accounts.passwords.hasher.hash(permit, password).await?;

    let user = account.new_user(now);
    let sends_mail = accounts.email_verification == EmailVerification::Optional;
    let mail = sends_mail.then(|| account.verification_mail(&user, &context.client, now));
    let opening = context.into_opening(accounts, &user.id, now);
    let registration = NewRegistration {
        credentials: NewCredentials {
            hash: hash.as_str().to_owned(),
        },
        user,
        mail: mail.filter(|_| accounts.outbox.reserve_row()),
    };
    let grant = store_with_session(accounts, registration, opening, now).await?;
    log::info!("registered user_id={}", grant.user.id);
    Ok(Registration::LoggedIn(Box::new(grant)))
}

/// Stores the account, the first session and, if there is one, the mail.
async fn store_with_session(
    accounts: &Accounts,
    registration: NewRegistration,
    opening: SessionOpening,
    now: SystemTime,
) -> Result<TokenGrant, Problem> {
    let (session_id, expires_at) = (opening.session.id.clone(), opening.session.expires_at);
    let has_mail = registration.mail.is_some();
    let (ended_ids, user) = accounts
        .sessions
        .db
        .write(move |connection| {
            let ended_ids = store::register(connection, &registration, &opening)?;
            Ok((ended_ids, registration.user))
        })
        .await?;
    let ended_ids = ended_ids.ok_or_else(already_registered)?;
    accounts.sessions.metrics.count(Event::SessionOpened);
    if has_mail {
        accounts.outbox.notify_sender();
    }
    accounts.sessions.revoke_locally(&ended_ids, now);
    Ok(TokenGrant {
        user,
        session_id,
        counter: 0,
        issued_at: now,
        expires_at,
    })
}

/// Creates the account without a session, and queues the mail that verifies the email address. If the address already
/// has an account or is reserved, only queues a notice of the attempt. Queues nothing if the outbox is full. The result
/// and its time do not show whether an account was stored: that takes some tenths of a millisecond longer than queuing
/// a notice alone, so the result is returned at the end of a time slot.
async fn create_unverified(
    accounts: &Accounts,
    account: NewAccount,
    password: ChosenPassword,
    client: &Client,
) -> Result<Registration, Problem> {
    let permit = accounts.passwords.hasher.acquire_permit(client).await?;
    let hash = accounts.passwords.hasher.hash(permit, password).await?;

    let now = accounts.sessions.now();
    let user = account.new_user(now);
    let mail = account.verification_mail(&user, client, now);
    let challenge = MailChallenge::of(&mail);
    let registration = NewRegistration {
        credentials: NewCredentials {
            hash: hash.as_str().to_owned(),
        },
        user: user.clone(),
        mail: Some(mail).filter(|_| accounts.outbox.reserve_row()),
    };
    let email = account.email;
    let is_new = delay_until_end_of_slot(store_unverified(accounts, registration, email)).await?;
    if is_new {
        log::info!("registered user_id={} email_verified=false", user.id);
    } else {
        log::info!("registration refused ip_address={:?}", client.ip_address);
    }
    let registration = UnverifiedRegistration { challenge, user };
    Ok(Registration::Unverified(Box::new(registration)))
}

/// Stores the account and the mail, or only the notice of the attempt. Returns whether the account was stored.
async fn store_unverified(
    accounts: &Accounts,
    registration: NewRegistration,
    email: Email,
) -> Result<bool, Problem> {
    let is_new = accounts
        .sessions
        .db
        .write(move |connection| store::register_unverified(connection, registration, &email))
        .await?;
    accounts.outbox.notify_sender();
    Ok(is_new)
}

impl NewAccount {
    fn new_user(&self, now: SystemTime) -> User {
        let (id, created_at) = (UserId::generate(now), Timestamp::from(now));
        let mut user = User::new(&id, self.email.clone(), self.name.clone(), created_at);
        user.image.clone_from(&self.image);
        user.language = self.language.map(|language| language.as_str().to_owned());
        user
    }

    fn verification_mail(&self, user: &User, client: &Client, now: SystemTime) -> NewMail {
        NewMail {
            language: self.language,
            callback_url: self.callback_url.clone(),
            network: client.network,
            ..NewMail::to_user(MailKind::EmailVerification, &user.id, &user.email, now)
        }
    }
}

/// Rejects an email address that has an account, or that a user can still get back by undoing a change. Called before
/// the password is hashed.
async fn reject_registered(accounts: &Accounts, email: &Email) -> Result<(), Problem> {
    let (email, now) = (email.clone(), accounts.sessions.now().into());
    let query_registration = move |connection: &mut DbConnection| {
        let is_registered = users::registered_spelling(connection, &email)?.is_some();
        Ok(is_registered || is_reserved(connection, &email, None, now)?)
    };
    if accounts.sessions.db.read(query_registration).await? {
        return Err(already_registered());
    }
    Ok(())
}

fn already_registered() -> Problem {
    Problem::new(
        Code::UserAlreadyExists,
        "An account with this address exists already",
    )
}
