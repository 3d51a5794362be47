//! A server that gives one answer to everybody, or none.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    requests: Mutex<Vec<String>>,
    connections: AtomicUsize,
    closed: AtomicUsize,
}

impl Server {
    /// Answers every request with these bytes; with none, never.
    pub(crate) async fn that_says(answer: impl Into<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Log::default());
        let (answer, heard) = (Arc::new(answer.into()), Arc::clone(&log));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                heard.connections.fetch_add(1, Ordering::Relaxed);
                let (answer, heard) = (Arc::clone(&answer), Arc::clone(&heard));
                tokio::spawn(async move {
                    serve(stream, answer, &heard).await;
                    heard.closed.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        Self { address, log }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of all requests so far, in lower case.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.log.requests.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.log.connections.load(Ordering::Relaxed)
    }

    /// How many of them are open.
    pub(crate) fn open(&self) -> usize {
        self.connections() - self.log.closed.load(Ordering::Relaxed)
    }
}

async fn serve(mut stream: TcpStream, answer: Arc<String>, log: &Log) {
    let mut read = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(length) if length > 0 => read.extend(chunk.iter().take(length)),
            _ => return,
        }
        if !read.ends_with(b"\r\n\r\n") {
            continue;
        }
        let head = String::from_utf8_lossy(&read).to_lowercase();
        log.requests.lock().unwrap().push(head);
        read.clear();
        if answer.is_empty() {
            std::future::pending::<()>().await;
        }
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// An HTTP answer with a JSON body.
pub(crate) fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}
