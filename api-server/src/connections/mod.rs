//! Limits the number of client connections, and the time for which a connection may wait for its client.
//!
//! actix-http has a timeout for the first header of a connection, but not for later headers or for writing a response.
//! So the stream and the service record reads, writes and requests in a [`Progress`](progress::Progress) for each
//! connection, and a connection that exceeds one of the [`ConnectionTimeouts`] is closed.

mod files;
mod network;
mod progress;
mod registry;
mod response;
mod service;
mod stream;

pub(crate) use files::raise_open_file_limit;
pub(crate) use network::ExemptPeers;
pub(crate) use progress::ConnectionTimeouts;
pub(crate) use registry::Connections;
pub(crate) use service::{ConnectionPolicy, listen, serve};
