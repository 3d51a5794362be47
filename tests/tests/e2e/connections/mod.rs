//! Tests the maximum number of connections, the timeouts of a connection, callers that read slowly, TLS and HTTP/2.

mod http2;
mod limit;
mod pipelining;
mod slow_readers;
mod timeouts;
mod tls;

use e2e::Connection;

/// A request that needs no credentials, and whose response has status 200.
const HEALTH_REQUEST: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: e2e\r\n\r\n";

/// Sends a request on this connection. Returns whether a response with status 200 arrives.
async fn gets_200(connection: &mut Connection) -> bool {
    connection.send(HEALTH_REQUEST).await;
    let response = connection.response().await;
    response.is_some_and(|response| response.status() == 200)
}
