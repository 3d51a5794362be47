//! Tests the subcommands of `users`.

mod access;
mod addresses;
mod bans;
mod better_auth;
mod fixtures;
mod invalid_rows;
mod invalid_sources;
mod json;
mod profiles;
mod roles;
mod tasks;
