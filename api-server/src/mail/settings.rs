//! The settings of mails.

use std::path::PathBuf;

use lettre::message::Mailbox;

use super::smtp_url::SmtpServer;

/// Whether a registration sends a mail, and whether a login needs a verified address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmailVerification {
    /// A registration sends no mail. Users can still request a verification mail.
    Off,
    /// A registration causes a mail, and users can log in without following its link.
    Optional,
    /// A registration causes a mail, and users can log in only after they have verified the address.
    Required,
}

/// The default sender if mails are only written to files.
pub(crate) const FOLDER_SENDER: &str = "api-server <no-reply@localhost>";

/// The destination, the sender and the templates of mails.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MailSettings {
    /// Server that delivers the mails; with `None`, each mail is written to a file in `folder`.
    pub(crate) smtp: Option<SmtpServer>,
    /// Sender of the mails.
    pub(crate) from: Mailbox,
    /// Address for replies, if it is not the sender.
    pub(crate) reply_to: Option<Mailbox>,
    /// Folder with templates that replace the built-in templates of the same name.
    pub(crate) templates: Option<PathBuf>,
    /// Folder for mails that are written to files.
    pub folder: PathBuf,
}
