//! Connections: how many there may be, whose, and how long each may keep the server waiting.
//!
//! actix-http watches the first header of a connection and nothing after it. Here every connection has a [`Progress`],
//! which the stream and the service tell what happens, and a watch that ends the connection when it is overdue.

mod files;
mod network;
mod progress;
mod registry;
mod response;
mod service;
mod stream;

pub(crate) use files::allow_open_files;
pub(crate) use network::Exempt;
pub(crate) use progress::ConnectionTimeouts;
pub(crate) use registry::Connections;
pub(crate) use service::{ConnectionPolicy, serve};
