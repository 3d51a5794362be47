//! Request bodies: framing, media type, size and syntax, before any field is read.

mod framing;
mod json_text;
mod media_type;
mod size;

use e2e::{App, Client, Connection, Response};
use serde_json::json;

/// Pads a valid body with spaces to this length.
fn padded(length: usize) -> String {
    let body = json!({ "title": "Buy milk" }).to_string();
    format!("{body}{}", " ".repeat(length - body.len()))
}

/// The head of a request to create a task, without its end.
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
