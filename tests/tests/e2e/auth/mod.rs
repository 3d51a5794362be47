//! Tests the endpoints of `api-server/src/auth/`. Each file, and the folder of the same name if there is one, tests the
//! endpoints of the file with this name there.

#![expect(clippy::string_slice, reason = "the sliced text is ASCII")]

mod account;
pub(crate) mod change_password;
mod confirmation;
pub(crate) mod email_change;
pub(crate) mod email_verification;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod password_reset;
mod refresh;
mod register;
mod revocations;
mod session;
mod sessions;
mod token;
