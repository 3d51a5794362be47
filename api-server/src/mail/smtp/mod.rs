//! Sends one mail to an SMTP server (RFC 5321), on a connection of its own.
//!
//! Every step has a time limit, including the TLS handshake; the system limits the lookup of the host. An error says
//! whether another attempt can help.

mod login;
mod reply;
mod session;
mod stream;

use std::time::Duration;

use native_tls::TlsConnector;

use super::message::ComposedMail;
use super::smtp_url::SmtpServer;
use super::transport::SendError;
use reply::SmtpError;
use session::SmtpSession;

/// The longest time for a step of a session that sends no mail: an operator waits for the result.
const PROBE_STEP_LIMIT: Duration = Duration::from_secs(5);

/// The longest times that the server may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimits {
    /// The longest time for each of these: the connection to one address, the TLS handshake, sending a command or the
    /// text of the mail, and the reply to a command.
    pub(super) step: Duration,
    /// The longest time for the reply to the text of the mail, which many servers examine first. A client that gives up
    /// too early may send the mail twice.
    pub(super) acceptance: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            step: Duration::from_secs(20),
            acceptance: Duration::from_secs(60),
        }
    }
}

/// Sends mails to one server.
pub(crate) struct SmtpClient {
    server: SmtpServer,
    connector: TlsConnector,
    limits: TimeLimits,
}

impl SmtpClient {
    /// Creates a client that trusts the certificate authorities of the system.
    pub(super) fn new(server: SmtpServer) -> Result<Self, String> {
        let connector = TlsConnector::new()
            .map_err(|error| format!("cannot prepare TLS for the SMTP server: {error}"))?;
        Ok(Self {
            server,
            connector,
            limits: TimeLimits::default(),
        })
    }

    /// Sends the mail, and returns the reply with which the server accepted it. Blocks for at most about ten minutes.
    pub(super) fn send(&self, mail: &ComposedMail) -> Result<String, SendError> {
        self.deliver(mail).map_err(|error| {
            let text = format!("{}: {error}", self.server);
            if error.is_permanent() {
                SendError::Permanent(text)
            } else {
                SendError::Temporary(text)
            }
        })
    }

    /// Connects, and logs in if `SMTP_URL` has a password, but sends no mail. The error says which step failed and why.
    pub(super) fn probe(&self) -> Result<(), String> {
        let limits = TimeLimits {
            step: PROBE_STEP_LIMIT,
            ..self.limits
        };
        match SmtpSession::open(&self.server, &self.connector, limits) {
            Ok(session) => {
                session.quit();
                Ok(())
            }
            Err(error) => Err(format!("{}: {error}", self.server)),
        }
    }

    fn deliver(&self, mail: &ComposedMail) -> Result<String, SmtpError> {
        let mut session = SmtpSession::open(&self.server, &self.connector, self.limits)?;
        let outcome = session.deliver(mail.sender(), mail.recipient(), mail.bytes());
        session.quit();
        outcome.map(|reply| reply.to_string())
    }
}

#[cfg(test)]
mod tests;
