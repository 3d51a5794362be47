//! Tests the endpoints of `api-server/src/auth/`. A file here tests the endpoints of the file with the same name there.
//! A folder with that name contains further tests of these endpoints, one topic in each file.

#![expect(clippy::string_slice, reason = "the sliced text is ASCII")]

mod account;
pub(crate) mod change_password;
pub(crate) mod login;
pub(crate) mod logout;
mod refresh;
mod register;
mod revocations;
mod session;
mod sessions;
mod token;
