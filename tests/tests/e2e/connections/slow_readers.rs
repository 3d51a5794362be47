//! Responses that the caller does not read.

use std::time::Duration;

use e2e::{App, Connection, Engine, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_caller_that_reads_nothing_of_its_response_is_disconnected,
    a_caller_that_reads_slowly_gets_the_whole_response,
    a_caller_with_a_small_tcp_window_gets_the_whole_response,
}

const SHORT: Duration = Duration::from_secs(1);

/// A server with some mebibytes of tasks, and a request for the largest page of them.
async fn app(engine: Engine) -> (App, Vec<u8>) {
    let app = App::on(engine)
        .limits(|limits| limits.response_timeout = SHORT)
        .start();
    let ada = app.user("ada").await;
    for _ in 0..110 {
        let body = json!({ "title": "Buy milk", "description": "x".repeat(10_000) });
        ada.post("/api/tasks", body).await.created();
    }
    let request = format!(
        "GET /api/tasks?limit=500 HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer {}\r\n\r\n",
        ada.token()
    );
    (app, request.into_bytes())
}

async fn a_caller_that_reads_nothing_of_its_response_is_disconnected(engine: Engine) {
    let (app, request) = app(engine).await;
    let mut connection = app.connect().await;
    connection.send_until_closed(&request).await;
}

async fn a_caller_that_reads_slowly_gets_the_whole_response(engine: Engine) {
    let (app, request) = app(engine).await;
    let mut connection = app.connect().await;
    for _ in 0..16 {
        connection.send(&request).await;
    }
    for _ in 0..16 {
        // Below the timeout, for each of many mebibytes.
        tokio::time::sleep(SHORT / 8).await;
        let tasks = connection.response().await.unwrap().ok();
        assert_eq!(tasks.as_array().unwrap().len(), 102);
    }
}

async fn a_caller_with_a_small_tcp_window_gets_the_whole_response(engine: Engine) {
    let app = App::on(engine)
        .limits(|limits| limits.response_timeout = SHORT)
        .start();
    let ada = app.user("ada").await;
    for _ in 0..10 {
        let body = json!({ "title": "Buy milk", "description": "x".repeat(10_000) });
        ada.post("/api/tasks", body).await.created();
    }
    let request = format!(
        "GET /api/tasks HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer {}\r\n\r\n",
        ada.token()
    );
    let mut connection = Connection::open_with_receive_buffer(2048, app.addr()).await;
    connection.send(request.as_bytes()).await;
    // Too little at a time to open the window, for longer than the time-out.
    for _ in 0..20 {
        connection.take(32).await;
        tokio::time::sleep(SHORT / 10).await;
    }
    let tasks = connection.response().await.expect("a response").ok();
    assert_eq!(tasks.as_array().unwrap().len(), 10);
}
