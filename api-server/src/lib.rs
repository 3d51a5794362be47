//! The server around `auth-core`. Every route is listed in `server.rs`; the folder of a feature (`accounts`,
//! `sessions`, `tasks`) holds one file per endpoint, the noun, and the queries (`store.rs`).
//!
//! A request goes: `http::envelope` → `http::owner` or `http::caller` (who) → `http::json` (what) → handler →
//! `db.run(|connection| store::…)` → answer. Errors come back by `?` as [`problem::Problem`].

mod accounts;
mod better_auth;
mod blocklist;
pub mod command;
pub mod config;
mod connections;
mod cores;
pub mod db;
mod health;
mod http;
mod keys;
pub mod logging;
mod network;
mod pages;
pub mod problem;
pub mod server;
mod sessions;
mod state;
mod tasks;
pub mod transfer;

pub use http::openapi::document as openapi;
pub use state::{Clock, Limits};
