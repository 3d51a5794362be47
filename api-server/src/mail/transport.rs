//! Delivers mails: to an SMTP server, or to files in a folder.

use std::fmt;
use std::path::PathBuf;

use super::folder::MailFolder;
use super::message::ComposedMail;
use super::settings::MailSettings;
use super::smtp::SmtpClient;

/// The longest excerpt of a text from another program, in characters.
const MAX_EXCERPT_CHARS: usize = 300;

/// The way in which mails are delivered.
pub(crate) enum Transport {
    Smtp(Box<SmtpClient>),
    Folder(MailFolder),
}

/// The result of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DeliveryResult {
    /// The SMTP server has accepted the mail, with this reply.
    Accepted(String),
    /// The mail is in this file.
    Written(PathBuf),
}

/// The reason why a mail was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SendError {
    /// Another attempt would fail as well: the server rejected the recipient or the mail, or the mail cannot be
    /// composed.
    Permanent(String),
    /// Another attempt may succeed.
    Temporary(String),
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Permanent(text) | Self::Temporary(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for SendError {}

impl Transport {
    pub(crate) fn new(settings: &MailSettings) -> Result<Self, String> {
        match &settings.smtp {
            Some(server) => Ok(Self::Smtp(Box::new(SmtpClient::new(server.clone())?))),
            None => Ok(Self::Folder(MailFolder::new(settings.folder.clone()))),
        }
    }

    /// Delivers the mail. Blocks until the server has replied or the file is written, which takes at most about ten
    /// minutes.
    pub(crate) fn send(&self, mail: &ComposedMail, id: &str) -> Result<DeliveryResult, SendError> {
        match self {
            Self::Smtp(client) => client.send(mail).map(DeliveryResult::Accepted),
            Self::Folder(folder) => {
                let path = folder.write(mail, id).map_err(SendError::Temporary)?;
                Ok(DeliveryResult::Written(path))
            }
        }
    }
}

/// Returns the start of a text that another program has sent, in one line and without control characters.
pub(super) fn excerpt(text: &str) -> String {
    let words = text.split(|character: char| character.is_control() || character == ' ');
    let words = words.filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().take(MAX_EXCERPT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn an_excerpt_is_one_line_of_at_most_300_characters() {
        assert_eq!(excerpt("  a\r\n\tb\u{1b}[0m \u{85} c "), "a b [0m c");
        assert_eq!(excerpt(""), "");
        assert_eq!(excerpt(&"ä".repeat(301)), "ä".repeat(300));
    }
}
