//! Sends the mail of `api-server mail test`, and probes the SMTP server for `api-server check`.

use std::time::SystemTime;

use uuid::Uuid;

use super::message::Composer;
use super::settings::MailSettings;
use super::smtp::SmtpClient;
use super::transport::{DeliveryResult, Transport};

/// Connects to the SMTP server, and logs in if `SMTP_URL` has a password, but sends no mail. Returns the host and the
/// port of the server; `None` if mails are written to files.
pub(crate) fn probe(settings: &MailSettings) -> Result<Option<String>, String> {
    let Some(server) = &settings.smtp else {
        return Ok(None);
    };
    SmtpClient::new(server.clone())?.probe()?;
    Ok(Some(server.to_string()))
}

/// Sends a test mail by the transport of all other mails, but without the outbox. Returns the result as text; the error
/// says why the mail was not delivered.
pub(crate) fn send(
    settings: &MailSettings,
    public_url: &str,
    recipient: &str,
) -> Result<String, String> {
    let id = Uuid::now_v7().to_string();
    let mail = Composer::new(settings, public_url)?
        .compose_test(&id, recipient, SystemTime::now())
        .map_err(|error| error.to_string())?;
    let delivered = Transport::new(settings)?.send(&mail, &id);
    match (delivered, &settings.smtp) {
        (Ok(DeliveryResult::Accepted(answer)), Some(server)) => Ok(format!(
            "{server} accepted the mail to {recipient}: {answer}"
        )),
        (Ok(DeliveryResult::Accepted(answer)), None) => Ok(answer),
        (Ok(DeliveryResult::Written(path)), _) => {
            let path = path.display();
            Ok(format!(
                "SMTP_URL is not set, so the mail to {recipient} was written to {path}"
            ))
        }
        (Err(error), _) => Err(format!(
            "the mail to {recipient} was not delivered: {error}"
        )),
    }
}
