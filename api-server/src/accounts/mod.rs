//! Implements the actions on an account for this server's own API and Better Auth's API: register, log in, change the
//! password, the email address or the profile, choose a new password or verify the address with a mail, delete. Also
//! changes roles and claims, for the commands of operators.

pub(crate) mod access;
pub(crate) mod change_password;
pub(crate) mod delete;
pub(crate) mod email_change;
pub(crate) mod email_verification;
pub(crate) mod login;
pub(crate) mod mail_proof;
pub(crate) mod mail_request;
pub(crate) mod password_reset;
pub(crate) mod profile;
pub(crate) mod register;
mod store;
mod time_slot;

use std::sync::Arc;

use crate::mail::outbox::Outbox;
use crate::mail::settings::EmailVerification;
use crate::sessions::Sessions;
use crate::users::passwords::Passwords;

/// The state that a handler needs for actions on an account.
pub(crate) struct Accounts {
    pub(crate) passwords: Passwords,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) email_verification: EmailVerification,
}
