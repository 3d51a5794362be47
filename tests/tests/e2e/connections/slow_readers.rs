//! Tests callers that read a response slowly or not at all.

use std::time::Duration;

use e2e::{App, Connection, Engine, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_caller_that_reads_nothing_of_its_response_is_disconnected,
    a_caller_that_reads_slowly_gets_the_whole_response,
    a_caller_with_a_small_tcp_window_gets_the_whole_response,
}

const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

/// 110 tasks of 10 kB have 1.1 MB, but a page of tasks has at most 1 MiB (about 1.05 MB).
const MORE_TASKS_THAN_FIT_ON_A_PAGE: usize = 110;

/// Starts a server with this many tasks of 10 kB. Returns the server and a request for as many tasks as fit on a page.
async fn start_with_tasks(engine: Engine, task_count: usize) -> (App, Vec<u8>) {
    let app = App::on(engine)
        .set_durations(&["response-timeout"], RESPONSE_TIMEOUT)
        .start();
    let ada = app.user("ada").await;
    for _ in 0..task_count {
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
    let (app, request) = start_with_tasks(engine, MORE_TASKS_THAN_FIT_ON_A_PAGE).await;
    let mut connection = app.connect().await;
    connection.send_until_closed(&request).await;
}

async fn a_caller_that_reads_slowly_gets_the_whole_response(engine: Engine) {
    let (app, request) = start_with_tasks(engine, MORE_TASKS_THAN_FIT_ON_A_PAGE).await;
    let mut connection = app.connect().await;
    for _ in 0..16 {
        connection.send(&request).await;
    }
    for _ in 0..16 {
        // Each sleep is shorter than the timeout, but all sleeps together are longer than the timeout.
        tokio::time::sleep(RESPONSE_TIMEOUT / 8).await;
        let tasks = connection.response().await.unwrap().ok();
        assert_eq!(tasks.as_array().unwrap().len(), 102);
    }
}

async fn a_caller_with_a_small_tcp_window_gets_the_whole_response(engine: Engine) {
    let (app, request) = start_with_tasks(engine, 10).await;
    let mut connection = Connection::open_with_receive_buffer(2048, app.addr()).await;
    connection.send(&request).await;
    // The client reads at most 32 bytes at a time, for longer than the timeout.
    for _ in 0..20 {
        connection.read_at_most(32).await;
        tokio::time::sleep(RESPONSE_TIMEOUT / 10).await;
    }
    let tasks = connection.response().await.expect("a response").ok();
    assert_eq!(tasks.as_array().unwrap().len(), 10);
}
