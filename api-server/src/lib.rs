//! Contains the server that uses `auth-core`. `routes.rs` lists every path with its handler. ARCHITECTURE.md describes
//! the folders.
//!
//! For example, `POST /api/tasks` passes `http::middleware`, then `http::owner` (authentication), `http::json` (the
//! body) and the handler, which calls `db.write(|connection| store::…)` and returns the response. Errors are returned
//! with `?` as [`problem::Problem`].

mod accounts;
mod auth;
pub mod backup;
mod better_auth;
mod check;
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
pub mod mail;
pub mod metrics;
mod network;
mod new_file;
mod openapi;
pub mod origin;
mod pages;
mod probe;
pub mod problem;
pub mod progress;
mod routes;
mod scrape;
pub mod server;
mod sessions;
mod tasks;
pub mod transfer;
pub mod users;
mod well_known;
