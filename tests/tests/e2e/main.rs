//! The server over real HTTP, on both engines. `api/` has the shape of the URLs, `database/` is about what happens
//! when the database misbehaves; the other files are about what all addresses share.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod api;
mod better_auth;
mod bodies;
mod connections;
mod credentials;
mod database;
mod headers;
mod health;
mod logs;
mod methods;
mod openapi;
mod owner;
mod pages;
mod parallel;
mod problems;
mod routes;
mod sessions;
mod text;
