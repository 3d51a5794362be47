//! Tests the server over HTTP, with SQLite and with PostgreSQL. The folders mirror `api-server/src`, except `remote/`,
//! which mirrors `auth-core/src/remote`. In `auth/`, `better_auth/` and `tasks/`, most files are named after the
//! endpoint that they test. Other files test what several endpoints share.

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
