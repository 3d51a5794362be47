//! Tests the endpoints of `api-server/src/auth/`. Each endpoint has a file of the same name. A folder of that name
//! contains further tests of the endpoint, one topic in each file.

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
