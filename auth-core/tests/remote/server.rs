//! A server that sends the same response to every request, or no response.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A running server, and the log of its requests.
pub(crate) struct Server {
    pub(crate) socket_address: SocketAddr,
    log: Arc<RequestLog>,
}

#[derive(Default)]
struct RequestLog {
    request_heads: Mutex<Vec<String>>,
    connection_count: AtomicUsize,
    closed_connection_count: AtomicUsize,
}

impl Server {
    /// Starts a server that responds to every request with this text. If the text is empty, the server never responds.
    pub(crate) async fn responding(response: impl Into<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket_address = listener.local_addr().unwrap();
        let log = Arc::new(RequestLog::default());
        let (response, shared_log) = (Arc::new(response.into()), Arc::clone(&log));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                shared_log.connection_count.fetch_add(1, Ordering::Relaxed);
                let (response, shared_log) = (Arc::clone(&response), Arc::clone(&shared_log));
                tokio::spawn(async move {
                    serve(stream, response, &shared_log).await;
                    shared_log
                        .closed_connection_count
                        .fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        Self {
            socket_address,
            log,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.socket_address)
    }

    /// Returns the heads of all requests so far, in lower case.
    pub(crate) fn request_heads(&self) -> Vec<String> {
        self.log.request_heads.lock().unwrap().clone()
    }

    /// Returns the number of connections so far, including closed connections.
    pub(crate) fn connection_count(&self) -> usize {
        self.log.connection_count.load(Ordering::Relaxed)
    }

    pub(crate) fn open_connection_count(&self) -> usize {
        self.connection_count() - self.log.closed_connection_count.load(Ordering::Relaxed)
    }
}

async fn serve(mut stream: TcpStream, response: Arc<String>, log: &RequestLog) {
    let mut received_bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(length) if length > 0 => received_bytes.extend(chunk.iter().take(length)),
            _ => return,
        }
        if !received_bytes.ends_with(b"\r\n\r\n") {
            continue;
        }
        let head = String::from_utf8_lossy(&received_bytes).to_lowercase();
        log.request_heads.lock().unwrap().push(head);
        received_bytes.clear();
        if response.is_empty() {
            std::future::pending::<()>().await;
        }
        if stream.write_all(response.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Formats an HTTP response with a JSON body.
pub(crate) fn json_response(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}
