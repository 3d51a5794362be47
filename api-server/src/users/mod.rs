//! Defines users and email addresses, stores users, hashes passwords in a fair queue, and limits failed logins,
//! registrations and requests for mails.

pub(crate) mod access;
pub mod blocklist;
mod budget;
pub(crate) mod custom_claims;
pub(crate) mod email;
pub(crate) mod email_change;
pub(crate) mod email_check;
mod hash_queue;
pub(crate) mod hasher;
pub(crate) mod id;
pub(crate) mod mail_key;
pub(crate) mod network_queue;
pub(crate) mod password_policy;
pub(crate) mod passwords;
pub(crate) mod roles;
pub(crate) mod store;
pub(crate) mod throttle;
pub(crate) mod user;
