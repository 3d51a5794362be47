//! Request bodies: framing, media type, size and JSON syntax, which are checked before any field; and the text in them,
//! which is stored as sent.

mod framing;
mod media_type;
mod size;
mod stored_text;
mod syntax;

use e2e::{App, Client, Connection, Response};
use serde_json::json;

/// Returns a valid body, padded with spaces to this length in bytes.
fn padded(length: usize) -> String {
    let body = json!({ "title": "Buy milk" }).to_string();
    format!("{body}{}", " ".repeat(length - body.len()))
}

/// Returns the head of a request to create a task, without the header of the length and without the empty line.
fn head(caller: &Client) -> String {
    format!(
        "POST /api/tasks HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\n",
        caller.token()
    )
}

/// Sends all parts on a new connection and reads the response.
async fn send(app: &App, parts: &[&str]) -> (Connection, Response) {
    let mut connection = app.connect().await;
    connection.send(parts.concat().as_bytes()).await;
    let response = connection.response().await.unwrap();
    (connection, response)
}
