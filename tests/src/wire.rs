//! Sends any bytes to the server, even bytes that an HTTP library would not send, and reads the responses.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::Response;

/// The longest wait for bytes of a response, or for the end of a connection. A test that waits longer fails.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The most headers that [`parse`] accepts. Every response of the server has fewer headers.
const MAX_HEADERS: usize = 32;

/// A connection to the server.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    received_bytes: Vec<u8>,
}

impl Connection {
    /// Opens a connection to this socket address.
    pub async fn open(addr: SocketAddr) -> Self {
        Self::from_connected(TcpStream::connect(addr).await)
    }

    /// Opens a connection from another IP address of this machine, such as 127.0.0.2.
    pub async fn open_from(source_ip: &str, addr: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket
            .bind(SocketAddr::new(source_ip.parse().unwrap(), 0))
            .unwrap();
        Self::from_connected(socket.connect(addr).await)
    }

    /// Opens a connection, and asks the operating system for a receive buffer of this size, in bytes.
    pub async fn open_with_receive_buffer(size: u32, addr: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(size).unwrap();
        Self::from_connected(socket.connect(addr).await)
    }

    fn from_connected(result: std::io::Result<TcpStream>) -> Self {
        let stream = result.expect("a connection");
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            received_bytes: Vec::new(),
        }
    }

    /// Sends these bytes. Ignores an error, because the next read notices that the connection is closed.
    pub async fn send(&mut self, bytes: &[u8]) {
        let _closed_by_server = self.stream.write_all(bytes).await;
    }

    /// Sends these bytes repeatedly, and reads nothing, until the server closes the connection.
    pub async fn send_until_closed(&mut self, bytes: &[u8]) {
        let sending = async { while self.stream.write_all(bytes).await.is_ok() {} };
        timeout(TIMEOUT, sending)
            .await
            .expect("a closed connection in time");
    }

    /// Closes the sending half of the connection.
    pub async fn close_sending_half(&mut self) {
        let _closed_by_server = self.stream.shutdown().await;
    }

    /// Reads the next response, to a request other than `HEAD`; `None` if the server closes the connection without a
    /// response.
    pub async fn response(&mut self) -> Option<Response> {
        self.response_to("GET").await
    }

    /// Reads the next response, to a request with this method. A response to `HEAD` has no body.
    pub async fn response_to(&mut self, method: &str) -> Option<Response> {
        loop {
            if let Some((response, length)) = parse(&self.received_bytes, method == "HEAD") {
                self.received_bytes.drain(..length);
                return Some(response);
            }
            if self.read().await == 0 {
                assert!(self.received_bytes.is_empty(), "an incomplete response");
                return None;
            }
        }
    }

    /// Reads at most this many bytes, and keeps them for the next call of [`response`](Self::response).
    pub async fn read_at_most(&mut self, max_bytes: usize) {
        let mut bytes = vec![0; max_bytes];
        let reading = timeout(TIMEOUT, self.stream.read(&mut bytes));
        let length = reading.await.expect("bytes in time").unwrap_or(0);
        self.received_bytes.extend_from_slice(&bytes[..length]);
    }

    async fn read(&mut self) -> usize {
        let reading = timeout(TIMEOUT, self.stream.read_buf(&mut self.received_bytes));
        // An error, such as a reset, is treated as a closed connection.
        reading.await.expect("a response in time").unwrap_or(0)
    }
}

/// Parses a response. Returns the response and its length in bytes; `None` until the response is complete.
fn parse(received_bytes: &[u8], has_no_body: bool) -> Option<(Response, usize)> {
    let mut header_buffer = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut header_buffer);
    let httparse::Status::Complete(body_start) = head.parse(received_bytes).expect("HTTP") else {
        return None;
    };
    let decoded_headers = head.headers.iter().map(|header| {
        let value = String::from_utf8(header.value.to_vec()).expect("an ASCII header");
        (header.name.to_lowercase(), value)
    });
    let headers: Vec<_> = decoded_headers.collect();
    let length_header = headers.iter().find(|(name, _)| name == "content-length");
    let body_length = length_header.map_or(0, |(_, value)| value.parse().expect("a length"));
    let response_end = if has_no_body {
        body_start
    } else {
        body_start + body_length
    };
    let body = received_bytes.get(body_start..response_end)?.to_vec();
    Some((
        Response::new(head.code.unwrap(), headers, body),
        response_end,
    ))
}
