//! Limits the number of client connections, and the time for which a connection may wait for its client. Encrypts the
//! connections if the server has a certificate.
//!
//! actix-http has a timeout for the first header of a connection, but not for later headers or for writing a response.
//! So the stream and the service record reads, writes and requests in a
//! [`ConnectionState`](connection_state::ConnectionState) for each connection, and a connection that exceeds one of the
//! [`ConnectionTimeouts`] is closed.

mod boundary;
mod certificate;
mod chunks;
mod client_stream;
mod connection_state;
mod exempt_peers;
mod hang_up;
mod http1_stream;
mod http2;
mod http2_message;
mod open_file_limit;
mod pipeline_gate;
mod registry;
mod response;
mod service;
mod stream;
mod tls;

pub(crate) use certificate::CertificateState;
pub(crate) use connection_state::ConnectionTimeouts;
pub(crate) use exempt_peers::ExemptPeers;
pub(crate) use hang_up::has_hung_up;
pub(crate) use open_file_limit::raise_open_file_limit;
pub(crate) use registry::Connections;
pub(crate) use service::{ConnectionPolicy, listen, serve};
pub(crate) use tls::{FileProblem, Tls};
