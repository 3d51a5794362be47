//! The endpoints of `api-server/src/auth/`, each in a file of the same name. A file with a longer name, such as
//! `logout_scopes`, tests one topic of the endpoint.

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
