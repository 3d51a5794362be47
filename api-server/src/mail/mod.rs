//! Composes mails to the users and delivers them, by SMTP or as files in a folder.

pub(crate) mod address;
mod folder;
pub(crate) mod kind;
pub(crate) mod language;
pub(crate) mod link;
pub(crate) mod message;
pub mod settings;
mod smtp;
pub(crate) mod smtp_url;
pub(crate) mod templates;
pub(crate) mod test_mail;
pub(crate) mod transport;
