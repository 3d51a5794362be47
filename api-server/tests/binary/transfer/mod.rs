//! Tests the subcommands of `users`.

mod access;
mod addresses;
mod bans;
mod better_auth;
pub(crate) mod fixtures;
mod invalid_rows;
mod invalid_sources;
mod json;
pub(crate) mod lines;
mod profiles;
mod roles;
mod tasks;
