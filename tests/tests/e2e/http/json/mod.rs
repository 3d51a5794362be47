//! Tests the framing, the media type, the size and the JSON syntax of bodies, which the server checks before any field.
//! Also tests that text in a body is stored exactly as sent.

mod framing;
mod media_type;
mod size;
mod stored_text;
mod syntax;

use e2e::{App, Client, Connection, Response};
use serde_json::json;

/// Returns a valid body for a new task, padded with spaces to this length in bytes.
fn padded_body(length: usize) -> String {
    let body = json!({ "title": "Buy milk" }).to_string();
    format!("{body}{}", " ".repeat(length - body.len()))
}

/// Returns the head of a request that creates a task. The head lacks the header for the length of the body, and the
/// empty line.
fn request_head(caller: &Client) -> String {
    format!(
        "POST /api/tasks HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\n",
        caller.token()
    )
}

/// Sends the parts of a request on a new connection. Returns the connection and the response.
async fn send(app: &App, parts: &[&str]) -> (Connection, Response) {
    let mut connection = app.connect().await;
    connection.send(parts.concat().as_bytes()).await;
    let response = connection.response().await.unwrap();
    (connection, response)
}
