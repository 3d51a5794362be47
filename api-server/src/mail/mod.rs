//! Queues mails to the users in the outbox, composes them, and delivers them, by SMTP or as files in a folder.

pub(crate) mod address;
pub(crate) mod attempt;
pub(crate) mod challenge;
mod folder;
pub(crate) mod kind;
pub(crate) mod language;
pub(crate) mod link;
pub(crate) mod message;
pub(crate) mod outbox;
mod recipient;
pub(crate) mod sender;
pub mod settings;
mod smtp;
pub(crate) mod smtp_url;
pub(crate) mod store;
pub(crate) mod templates;
pub(crate) mod test_mail;
pub(crate) mod transport;
