//! Queues a mail for an address, whether or not an account has this address.

use super::Accounts;
use crate::client::Client;
use crate::mail::kind::MailKind;
use crate::mail::language::Language;
use crate::mail::outbox::NewMail;
use crate::mail::store as outbox;
use crate::problem::Problem;
use crate::users::email::LoginEmail;

/// The data in the response to a request for a mail.
pub(crate) struct MailChallenge {
    /// Identifies the request when the code in the mail is entered.
    pub(crate) challenge_id: String,
    /// The lifetime of the code and of the link, in seconds.
    pub(crate) expires_in: u64,
}

impl MailChallenge {
    pub(super) fn of(mail: &NewMail) -> Self {
        Self {
            challenge_id: mail.id.clone(),
            expires_in: mail.kind.lifetime().as_secs(),
        }
    }
}

/// Queues a mail to this address. The account is looked up only when the mail is sent, so that neither the result nor
/// its time reveals whether the address has an account. Fails with status 429 if the client's network has requested too
/// many mails.
pub(crate) async fn request(
    accounts: &Accounts,
    kind: MailKind,
    email: &LoginEmail,
    language: Option<Language>,
    client: &Client,
) -> Result<MailChallenge, Problem> {
    let now = accounts.sessions.now();
    let mail = NewMail {
        language,
        network: client.network,
        ..NewMail::new(kind, email.email().as_str(), now)
    };
    queue_mail(accounts, mail).await
}

/// Queues a mail that a client has requested, unless the outbox is full. Fails with status 429 if the client's network
/// has requested too many mails.
pub(crate) async fn queue_mail(
    accounts: &Accounts,
    mail: NewMail,
) -> Result<MailChallenge, Problem> {
    let throttle = &accounts.passwords.throttle;
    throttle.count_mail_request(mail.network, accounts.sessions.now())?;
    let challenge = MailChallenge::of(&mail);
    // If the outbox is full, the response does not say so.
    if accounts.outbox.reserve_row() {
        accounts
            .sessions
            .db
            .of_network(mail.network)
            .write(move |connection| outbox::insert(connection, &mail))
            .await?;
        accounts.outbox.notify_sender();
    }
    Ok(challenge)
}
