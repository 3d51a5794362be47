//! Logs in to an SMTP server (RFC 4954).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::smtp_url::SmtpCredentials;
use super::reply::{SmtpError, SmtpErrorCause, SmtpStep};
use super::session::SmtpSession;

/// Logs in with PLAIN (RFC 4616), or with LOGIN, which some servers have instead.
pub(super) fn log_in(
    session: &mut SmtpSession,
    credentials: &SmtpCredentials,
) -> Result<(), SmtpError> {
    let SmtpCredentials { user, password } = credentials;
    match choose_mechanism(session.feature("AUTH").unwrap_or_default()) {
        Some(Mechanism::Plain) => {
            let response = STANDARD.encode(format!("\0{user}\0{password}"));
            session.command(SmtpStep::Login, &format!("AUTH PLAIN {response}"))?;
        }
        Some(Mechanism::Login) => {
            session.command(SmtpStep::Login, "AUTH LOGIN")?;
            session.command(SmtpStep::Login, &STANDARD.encode(user))?;
            session.command(SmtpStep::Login, &STANDARD.encode(password))?;
        }
        None => {
            return Err(SmtpError {
                step: SmtpStep::Login,
                cause: SmtpErrorCause::Unsupported(
                    "SMTP_URL has a password, but the server offers neither AUTH PLAIN nor AUTH LOGIN",
                ),
            });
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Mechanism {
    Plain,
    Login,
}

/// Chooses PLAIN if the server offers it, otherwise LOGIN. `offered` has the names in upper case, separated by spaces.
fn choose_mechanism(offered: &str) -> Option<Mechanism> {
    let is_offered = |name: &str| offered.split(' ').any(|offered_name| offered_name == name);
    if is_offered("PLAIN") {
        Some(Mechanism::Plain)
    } else {
        is_offered("LOGIN").then_some(Mechanism::Login)
    }
}

#[cfg(test)]
mod tests {
    use super::{Mechanism, choose_mechanism};

    #[test]
    fn plain_is_preferred_to_login() {
        for (offered, mechanism) in [
            ("PLAIN", Some(Mechanism::Plain)),
            ("LOGIN PLAIN XOAUTH2", Some(Mechanism::Plain)),
            ("XOAUTH2 LOGIN", Some(Mechanism::Login)),
            ("XOAUTH2 SCRAM-SHA-256", None),
            ("PLAINTEXT", None),
            ("", None),
        ] {
            assert_eq!(choose_mechanism(offered), mechanism, "{offered}");
        }
    }
}
