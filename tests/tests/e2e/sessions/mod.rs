//! Sessions from login to logout: refresh, revocation, cookies, and what the server forgets by itself.

#![expect(clippy::string_slice, reason = "what is cut is ASCII")]

mod account;
mod away;
mod clocks;
mod commits;
mod cookies;
mod cors;
mod csrf;
mod delegated;
mod ended;
mod feed;
mod forged;
mod headers;
mod housekeeping;
mod list;
mod logout;
mod logout_credentials;
mod password;
mod powerless;
mod proxies;
mod races;
mod refresh;
mod replaced;
mod revocation;
mod rotation;
mod session_lifetime;
mod session_limit;
pub(crate) mod world;
