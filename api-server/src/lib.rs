//! The server around `auth-core`. `routes.rs` lists every address with its handler; ARCHITECTURE.md draws the floors on
//! which the folders stand.
//!
//! A request goes: `http::middleware` → `http::owner` or `http::caller` (who) → `http::json` (what) → handler →
//! `db.read(|connection| store::…)` → response. Errors come back by `?` as [`problem::Problem`].

mod accounts;
mod auth;
mod better_auth;
mod client;
pub mod clock;
pub mod command;
pub mod config;
mod connections;
mod cores;
pub mod db;
mod health;
mod http;
pub mod limits;
pub mod logging;
mod network;
mod openapi;
pub mod origin;
mod pages;
pub mod problem;
mod routes;
pub mod server;
mod sessions;
mod tasks;
pub mod transfer;
pub mod users;
