//! Responses that the caller does not read.

use std::time::Duration;

use e2e::{App, Engine, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_caller_that_reads_nothing_of_its_response_is_dropped,
    a_caller_that_reads_its_response_slowly_gets_all_of_it,
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

async fn a_caller_that_reads_nothing_of_its_response_is_dropped(engine: Engine) {
    let (app, request) = app(engine).await;
    let mut connection = app.connect().await;
    connection.send_until_closed(&request).await;
}

async fn a_caller_that_reads_its_response_slowly_gets_all_of_it(engine: Engine) {
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
