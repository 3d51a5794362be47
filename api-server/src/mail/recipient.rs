//! Decides, when a mail is about to be sent, whether and to whom it is sent.

use super::kind::MailKind;
use super::language::Language;
use super::outbox::LeasedMail;
use super::store::{self, SentCounts};
use crate::db::{DbConnection, QueryResult, Timestamp, lock_until_commit, write_transaction};
use crate::users::email::{Email, LoginEmail};
use crate::users::email_change::store::{is_taken, live_undo_keys};
use crate::users::store as users;
use crate::users::store::MailUser;

const MAX_TO_RECIPIENT_IN_HOUR: i64 = 3;
const MAX_TO_RECIPIENT_IN_DAY: i64 = 10;
const MAX_FROM_NETWORK_IN_HOUR: i64 = 20;
/// The most notices per address about attempts to register the address although it has an account.
const MAX_REGISTRATION_ATTEMPT_NOTICES_IN_HOUR: i64 = 1;

/// The recipient of a mail, and the inputs of the mail's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Recipient {
    pub(super) user_id: String,
    /// The address to which the mail goes.
    pub(super) address: String,
    pub(super) token_inputs: TokenInputs,
    pub(super) language: Language,
}

/// Inputs for computing the token and the code of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TokenInputs {
    /// The address that the MAC covers: the address of the account. If the token undoes a change of the address, the
    /// previous address, so that the token survives further changes.
    pub(super) email: String,
    /// The mail key of the user. If the token undoes a change of the address, the key of that change, so that the token
    /// survives a new mail key.
    pub(super) key: String,
    /// The address that the account gets if the token is used; empty if the token changes no address.
    pub(super) detail: String,
}

/// The decision about a mail that is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Send(Box<Recipient>),
    /// The mail is not sent, for this reason.
    Skip(&'static str),
}

/// Finds the recipient of the mail, and checks the expiry, the account, the quotas and the lease. With
/// [`Decision::Send`], the attempt is recorded. `new_key` may become the mail key of a user who has none yet.
pub(super) fn decide(
    connection: &mut DbConnection,
    mail: &LeasedMail,
    new_key: &str,
    now: Timestamp,
) -> QueryResult<Decision> {
    write_transaction(connection, |connection| {
        if now >= mail.expires_at {
            return Ok(Decision::Skip("it has expired"));
        }
        let Some(found) = find_user(connection, mail)? else {
            return Ok(Decision::Skip("no account has this address"));
        };
        // Without a user id, `mail.recipient` is what a client entered, perhaps in another spelling than the account's.
        let address = match &mail.user_id {
            Some(_) => mail.recipient.clone(),
            None => found.user.email.clone(),
        };
        if let Some(reason) = reason_to_skip(connection, mail, &found, now)? {
            return Ok(Decision::Skip(reason));
        }
        let Some(token_inputs) = token_inputs(connection, mail, &found, new_key, now)? else {
            return Ok(Decision::Skip("the change of the address was undone"));
        };
        if exceeds_quota(connection, mail, &address, now)? {
            return Ok(Decision::Skip("a quota is used up"));
        }
        let language = found.user.language.as_deref().and_then(Language::parse);
        let recipient = Recipient {
            user_id: found.user.id,
            token_inputs,
            language: language.or(mail.language).unwrap_or_default(),
            address,
        };
        let user_id = recipient.user_id.as_str();
        if !store::begin_attempt(connection, mail, user_id, &recipient.address)? {
            return Ok(Decision::Skip("the lease is over"));
        }
        Ok(Decision::Send(Box::new(recipient)))
    })
}

fn find_user(connection: &mut DbConnection, mail: &LeasedMail) -> QueryResult<Option<MailUser>> {
    if let Some(user_id) = &mail.user_id {
        return users::find_mail_user(connection, user_id);
    }
    let Ok(email) = LoginEmail::parse(&mail.recipient) else {
        return Ok(None);
    };
    match users::find_by_email(connection, &email)? {
        Some((user, _hash)) => users::find_mail_user(connection, &user.id),
        None => Ok(None),
    }
}

/// Returns the reason not to send the mail; `None` if it may be sent.
fn reason_to_skip(
    connection: &mut DbConnection,
    mail: &LeasedMail,
    found: &MailUser,
    now: Timestamp,
) -> QueryResult<Option<&'static str>> {
    let is_same_address = mail.user_id.is_none() || mail.recipient == found.user.email;
    Ok(match mail.kind {
        MailKind::PasswordReset
        | MailKind::EmailVerification
        | MailKind::AccountDeletion
        | MailKind::RegistrationAttempt
            if !is_same_address =>
        {
            Some("the account has another address now")
        }
        MailKind::EmailVerification if found.user.email_verified => {
            Some("the address is verified already")
        }
        MailKind::EmailChange => {
            let new_email = mail.new_email.as_deref().unwrap_or_default();
            let Ok(new_email) = Email::parse(new_email) else {
                return Ok(Some("it names no new address"));
            };
            let is_taken = is_taken(connection, &new_email, &found.user.id, now)?;
            is_taken.then_some("another account has the new address")
        }
        _ => None,
    })
}

/// Returns the inputs of the token; `None` if the token could only undo a change that cannot be undone any more.
fn token_inputs(
    connection: &mut DbConnection,
    mail: &LeasedMail,
    found: &MailUser,
    new_key: &str,
    now: Timestamp,
) -> QueryResult<Option<TokenInputs>> {
    if mail.kind != MailKind::EmailChanged {
        return Ok(Some(TokenInputs {
            email: found.user.email.clone(),
            key: ensure_mail_key(connection, found, new_key)?,
            detail: mail.new_email.clone().unwrap_or_default(),
        }));
    }
    let keys = live_undo_keys(connection, &found.user.id, &mail.recipient, now)?;
    Ok(keys.into_iter().next().map(|key| TokenInputs {
        email: mail.recipient.clone(),
        key,
        detail: mail.recipient.clone(),
    }))
}

/// Returns whether too many mails were sent to this address, or were caused by this network. A later attempt to send a
/// mail exceeds no quota, because the first attempt was counted.
fn exceeds_quota(
    connection: &mut DbConnection,
    mail: &LeasedMail,
    address: &str,
    now: Timestamp,
) -> QueryResult<bool> {
    let kinds = mail.kind.quota_kinds();
    if kinds.is_empty() || mail.attempts > 0 {
        return Ok(false);
    }
    // Other processes that send to the same address or for the same network wait for these locks.
    lock_until_commit(connection, address)?;
    if let Some(network) = &mail.network {
        lock_until_commit(connection, network)?;
    }
    if mail.kind == MailKind::RegistrationAttempt {
        let attempts = store::count_sent(connection, address, None, &[mail.kind.as_str()], now)?;
        if attempts.to_recipient_in_hour >= MAX_REGISTRATION_ATTEMPT_NOTICES_IN_HOUR {
            return Ok(true);
        }
    }
    let kinds: Vec<&str> = kinds.into_iter().map(MailKind::as_str).collect();
    let counts = store::count_sent(connection, address, mail.network.as_deref(), &kinds, now)?;
    let SentCounts {
        to_recipient_in_hour,
        to_recipient_in_day,
        from_network_in_hour,
    } = counts;
    Ok(to_recipient_in_hour >= MAX_TO_RECIPIENT_IN_HOUR
        || to_recipient_in_day >= MAX_TO_RECIPIENT_IN_DAY
        || from_network_in_hour >= MAX_FROM_NETWORK_IN_HOUR)
}

/// Returns the mail key of the user, after storing `new_key` if the user had none.
fn ensure_mail_key(
    connection: &mut DbConnection,
    found: &MailUser,
    new_key: &str,
) -> QueryResult<String> {
    if let Some(mail_key) = &found.mail_key {
        return Ok(mail_key.clone());
    }
    if users::set_missing_mail_key(connection, &found.user.id, new_key)? {
        return Ok(new_key.to_owned());
    }
    let current = users::find_mail_user(connection, &found.user.id)?;
    let current_key = current.and_then(|user| user.mail_key);
    Ok(current_key.unwrap_or_else(|| new_key.to_owned()))
}
