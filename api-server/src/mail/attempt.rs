//! Sends one mail: computes its token and its code, composes it, and hands it to the transport.

use std::time::{Duration, SystemTime};

use auth_core::mail_token::{Challenge, MailToken, MailTokens};

use super::kind::MailKind;
use super::link::link;
use super::message::{ComposedMail, Composer, OutgoingMail};
use super::outbox::LeasedMail;
use super::recipient::{Recipient, TokenInputs};
use super::transport::{DeliveryResult, SendError, Transport};
use crate::db::Timestamp;

const FIRST_PAUSE: Duration = Duration::from_secs(60);
const MAX_PAUSE: Duration = Duration::from_secs(60 * 60);
/// The age at which the server gives up a mail that could not be sent.
const MAX_AGE: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// Composes mails and hands them to the transport.
pub(super) struct MailDispatcher {
    pub(super) composer: Composer,
    pub(super) transport: Transport,
    /// The setting `PUBLIC_URL`.
    pub(super) public_url: String,
}

impl MailDispatcher {
    /// Sends the mail. Blocks until the SMTP server has replied or the file is written. An error that another attempt
    /// cannot correct is [`SendError::Permanent`].
    pub(super) fn send(
        &self,
        mail: &LeasedMail,
        recipient: &Recipient,
        tokens: &MailTokens,
    ) -> Result<(), SendError> {
        let link = self.link(mail, recipient, tokens)?;
        let composed = self.compose(mail, recipient, tokens, link.clone())?;
        let delivered = self.transport.send(&composed, &mail.id)?;
        let (id, kind) = (&mail.id, mail.kind.as_str());
        match delivered {
            DeliveryResult::Accepted(reply) => {
                log::info!("mail sent id={id} kind={kind} reply={reply:?}");
            }
            DeliveryResult::Written(path) => {
                let (file, link) = (path.display(), link.unwrap_or_default());
                log::info!("mail written to {file} kind={kind} {link}");
            }
        }
        Ok(())
    }

    fn compose(
        &self,
        mail: &LeasedMail,
        recipient: &Recipient,
        tokens: &MailTokens,
        link: Option<String>,
    ) -> Result<ComposedMail, SendError> {
        let outgoing = OutgoingMail {
            id: &mail.id,
            kind: mail.kind,
            language: recipient.language,
            recipient: &recipient.address,
            created_at: mail.created_at.to_system_time(),
            link,
            code: code(mail, recipient, tokens)?,
            expires_at: mail.expires_at.to_system_time(),
        };
        let composed = self.composer.compose(&outgoing);
        composed.map_err(|error| permanent_error(&*error))
    }

    fn link(
        &self,
        mail: &LeasedMail,
        recipient: &Recipient,
        tokens: &MailTokens,
    ) -> Result<Option<String>, SendError> {
        let Some(purpose) = mail.kind.purpose() else {
            return Ok(None);
        };
        let token = MailToken {
            purpose,
            user_id: recipient.user_id.clone(),
            expires_at: expiry_seconds(mail.expires_at),
            detail: recipient.token_inputs.detail.clone(),
        };
        let TokenInputs { email, key, .. } = &recipient.token_inputs;
        let text = tokens
            .encode(&token, email, key)
            .map_err(|error| permanent_error(&error))?;
        let callback_url = mail.callback_url.as_deref();
        Ok(link(mail.kind, &self.public_url, callback_url, &text))
    }
}

fn code(
    mail: &LeasedMail,
    recipient: &Recipient,
    tokens: &MailTokens,
) -> Result<Option<String>, SendError> {
    let purpose = mail.kind.purpose().filter(|_| mail.kind.has_code());
    let Some(purpose) = purpose else {
        return Ok(None);
    };
    let challenge = Challenge {
        id: &mail.id,
        purpose,
        user_id: &recipient.user_id,
        expires_at: expiry_seconds(mail.expires_at),
    };
    let TokenInputs { email, key, .. } = &recipient.token_inputs;
    let code = tokens.code(&challenge, email, key);
    let code = code.map_err(|error| permanent_error(&error))?;
    Ok(Some(code.as_str().to_owned()))
}

fn permanent_error(error: &(impl std::fmt::Display + ?Sized)) -> SendError {
    SendError::Permanent(error.to_string())
}

/// Returns the expiry of a token or a code: the first second in which it is no longer accepted.
pub(crate) fn expiry_seconds(expires_at: Timestamp) -> u64 {
    u64::try_from(expires_at.unix_seconds()).unwrap_or_default()
}

/// Returns the time of the next attempt after `failures` failures. Returns `None` to give the mail up if it would then
/// be older than [`MAX_AGE`] or have expired.
pub(super) fn next_attempt_at(
    mail: &LeasedMail,
    failures: i32,
    now: SystemTime,
) -> Option<Timestamp> {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or_default();
    let factor = 2_u32.saturating_pow(doublings);
    let pause = FIRST_PAUSE.saturating_mul(factor).min(MAX_PAUSE);
    let next = Timestamp::from(now).plus(pause);
    let last = match mail.kind {
        MailKind::EmailChanged => mail.created_at.plus(MAX_AGE),
        _ => mail.created_at.plus(MAX_AGE).min(mail.expires_at),
    };
    (next < last).then_some(next)
}

#[cfg(test)]
mod tests;
