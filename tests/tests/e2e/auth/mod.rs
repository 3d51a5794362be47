//! Tests the endpoints of `api-server/src/auth/`. For example, `login.rs` and the files in `login/` test the endpoints
//! of `login.rs` there.

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
