//! Tests the server over real HTTP, with SQLite and with PostgreSQL. The folders mirror `api-server/src`: `auth/`,
//! `better_auth/` and `tasks/` have one file per endpoint; the other folders test what several endpoints share. Only
//! `remote/` mirrors `auth-core/src/remote`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod accounts;
mod auth;
mod better_auth;
mod connections;
mod db;
mod health;
mod http;
mod logging;
mod openapi;
mod pages;
mod problem;
mod remote;
mod routes;
mod sessions;
mod tasks;
mod users;
