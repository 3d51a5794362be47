//! Verifies the email address of a user who has a token or a code from a mail.

use auth_core::mail_token::{MailPurpose, MailTokens};
use auth_core::password::PasswordAttempt;

use super::mail_proof::{self, MailProof, invalid_proof};
use super::mail_request::{MailChallenge, queue_mail};
use super::{Accounts, store};
use crate::client::Client;
use crate::mail::kind::MailKind;
use crate::mail::language::Language;
use crate::mail::outbox::NewMail;
use crate::problem::{Code, Problem};
use crate::users::email::LoginEmail;
use crate::users::id::UserId;
use crate::users::store as users;
use crate::users::user::User;

/// Queues a verification mail to a signed-in user. The page that its link opens redirects to `callback_url`,
/// if there is one, after the verification.
pub(crate) async fn request_for_user(
    accounts: &Accounts,
    user_id: UserId,
    callback_url: Option<String>,
    language: Option<Language>,
    client: &Client,
) -> Result<MailChallenge, Problem> {
    let user = find(accounts, user_id).await?;
    let user = user.ok_or_else(Problem::account_missing)?;
    let (kind, now) = (MailKind::EmailVerification, accounts.sessions.now());
    let mail = NewMail {
        callback_url,
        language,
        network: client.network,
        ..NewMail::to_user(kind, &user.id, &user.email, now)
    };
    queue_mail(accounts, mail).await
}

/// The evidence that the person who has the mail is also the user of the account.
pub(crate) struct OwnershipEvidence {
    /// The user of the session in the request; `None` without a session.
    pub(crate) caller_id: Option<UserId>,
    pub(crate) password: Option<PasswordAttempt>,
}

/// Marks the email address of the account as verified. Begins no session.
///
/// The mail alone does not suffice, because anyone can register with the email address of another person. If this
/// person then followed the link, the address would be verified for an account whose password someone else knows.
/// Therefore a session of the account or its password is required as well. Without either, the proof is not used up.
pub(crate) async fn confirm(
    accounts: &Accounts,
    proof: MailProof,
    ownership: OwnershipEvidence,
    client: &Client,
) -> Result<User, Problem> {
    let named_user_id = unverified_user_id(&proof);
    let caller_id = ownership.caller_id.clone();
    match use_proof(accounts, proof, ownership, client).await {
        Err(problem) if problem.code() == Code::InvalidOrExpiredToken => {
            let repetition = find_verified_caller(accounts, named_user_id, caller_id).await?;
            repetition.ok_or(problem)
        }
        result => result,
    }
}

async fn use_proof(
    accounts: &Accounts,
    proof: MailProof,
    ownership: OwnershipEvidence,
    client: &Client,
) -> Result<User, Problem> {
    let key_change =
        mail_proof::verify(accounts, MailKind::EmailVerification, proof, client).await?;
    let is_caller = |id: UserId| id.as_str() == key_change.user_id;
    if !ownership.caller_id.is_some_and(is_caller) {
        let attempt = ownership.password.ok_or_else(password_required)?;
        require_password(accounts, &key_change.email, attempt, client).await?;
    }
    let now = accounts.sessions.now();
    let forget_after = accounts.sessions.forget_after(now);
    // If this transaction succeeds, the compared password is still right: a change of the password also replaces or
    // removes the mail key.
    let verified_user = accounts
        .sessions
        .db
        .write(move |connection| {
            store::verify_email(connection, &key_change, now.into(), forget_after)
        })
        .await?
        .ok_or_else(invalid_proof)?;
    accounts.sessions.mark_stale_locally(&verified_user, now);
    log::info!("email address verified user_id={}", verified_user.id);
    Ok(verified_user)
}

/// Returns the user id in a token that verifies an email address. Does not verify the MAC of the token.
fn unverified_user_id(proof: &MailProof) -> Option<String> {
    let MailProof::Token(text) = proof else {
        return None;
    };
    let token = MailTokens::parse(text).ok()?;
    let is_verification = token.purpose() == MailPurpose::EmailVerification;
    is_verification.then(|| token.user_id().to_owned())
}

/// Returns the caller if the caller's email address is verified already and the token names the caller: a link that is
/// used again succeeds again.
async fn find_verified_caller(
    accounts: &Accounts,
    named_user_id: Option<String>,
    caller_id: Option<UserId>,
) -> Result<Option<User>, Problem> {
    let is_named = |id: &UserId| named_user_id.as_deref() == Some(id.as_str());
    match caller_id.filter(is_named) {
        Some(caller_id) => {
            let caller = find(accounts, caller_id).await?;
            Ok(caller.filter(|user| user.email_verified))
        }
        None => Ok(None),
    }
}

async fn find(accounts: &Accounts, id: UserId) -> Result<Option<User>, Problem> {
    let db = accounts.sessions.db.of_account(id.as_str());
    let query_user = move |connection: &mut _| users::find(connection, &id);
    Ok(db.read(query_user).await?)
}

/// Compares the password like a login: with the same limits, in the same queue.
async fn require_password(
    accounts: &Accounts,
    email: &str,
    attempt: PasswordAttempt,
    client: &Client,
) -> Result<(), Problem> {
    let email = LoginEmail::stored(email.to_owned());
    let comparison = accounts.passwords.authenticate(email, attempt, client);
    if comparison.await?.is_none() {
        log::info!("verification refused ip_address={:?}", client.ip_address);
        let detail = "The password is wrong; enter the password of the account";
        return Err(Problem::new(Code::PasswordRequired, detail));
    }
    Ok(())
}

fn password_required() -> Problem {
    Problem::new(
        Code::PasswordRequired,
        "Enter the password of the account, or log in to the account first",
    )
}
