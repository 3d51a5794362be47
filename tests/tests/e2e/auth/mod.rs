//! The addresses below `/api/auth` that are this API's own: a file for each, as in `api-server/src/auth/`.

#![expect(clippy::string_slice, reason = "the sliced text is ASCII")]

mod account;
mod account_deletion;
pub(crate) mod change_password;
pub(crate) mod login;
mod login_rehash;
mod login_throttle;
pub(crate) mod logout;
mod logout_cookies;
mod logout_credentials;
mod logout_scopes;
mod refresh;
mod refresh_forged;
mod refresh_rotation;
mod register;
mod revocations;
mod session;
mod sessions;
mod token;
