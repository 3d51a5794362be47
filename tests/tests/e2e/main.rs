//! Tests the server over HTTP, with SQLite and with PostgreSQL. Each folder tests the folder of the same name in
//! `api-server/src`, except `remote/`, which tests `auth-core/src/remote`, and `metrics/`, which also tests `scrape/`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic in a helper fails the test"
)]

/// The same allocator as in the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod accounts;
mod auth;
mod backup;
mod better_auth;
mod connections;
mod db;
mod health;
mod http;
mod logging;
mod mail;
mod metrics;
mod openapi;
mod operations;
mod pages;
mod problem;
mod remote;
mod sessions;
mod tasks;
mod users;
mod well_known;
