//! Tests a database in which a table or a column is missing. Requests that need the missing part get a 500, and only
//! the log has the cause.

use e2e::{App, Client, Request, log_lines, on_both_engines};
use serde_json::json;

use super::{assert_database_free_routes_respond, database_requests};

on_both_engines! {
    a_missing_table_is_an_internal_error,
    a_missing_column_is_an_internal_error,
    a_connection_is_usable_after_a_failed_statement,
}

/// Asserts that the response is a 500 that does not contain the cause, and that an error in the log contains the cause.
async fn assert_internal_error(request: Request, request_id: &str, cause: &str) {
    let response = request.header("x-request-id", request_id).await;
    assert_eq!(response.header("x-request-id"), Some(request_id));
    let printed_response = format!("{response:?}").to_lowercase();
    let problem = response.problem(500, "INTERNAL_SERVER_ERROR");
    let detail = "Something went wrong on our side; the request id names it in our log";
    assert_eq!(problem["detail"], detail);
    for word in [
        cause, "sql", "column", "relation", "table", "users", "query", "diesel",
    ] {
        assert!(!printed_response.contains(word), "{printed_response}");
    }
    let lines = log_lines::find(request_id);
    let has_cause = |line: &String| line.starts_with("ERROR") && line.contains(cause);
    assert!(lines.iter().any(has_cause), "{lines:?}");
}

async fn assert_internal_errors(app: &App, ada: &Client, requests: Vec<Request>, cause: &str) {
    for (number, request) in requests.into_iter().enumerate() {
        let request_id = format!("{}-{number}", ada.id());
        assert_internal_error(request, &request_id, cause).await;
        assert_database_free_routes_respond(ada).await;
    }
    assert_eq!(
        app.anonymous().get("/readyz").await.ok(),
        json!({ "status": "ready" })
    );
}

async fn a_missing_table_is_an_internal_error(app: App) {
    let ada = app.user("ada").await;
    let task_path = ada.task(&ada.new_task("Buy milk").await["id"]);
    let mut all_requests = database_requests(&ada, &task_path);
    // Removes the last request, `GET /readyz`, which succeeds without the tables that are dropped below.
    all_requests.pop();
    app.database()
        .execute("DROP TABLE sessions; DROP TABLE tasks; DROP TABLE imported_tasks");
    let (user_requests, task_requests) =
        (all_requests.drain(..4).collect::<Vec<_>>(), all_requests);
    assert_internal_errors(&app, &ada, task_requests, "tasks").await;
    app.database()
        .execute("DROP TABLE outbox; DROP TABLE email_undos; DROP TABLE users");
    assert_internal_errors(&app, &ada, user_requests, "users").await;
}

async fn a_missing_column_is_an_internal_error(app: App) {
    let ada = app.user("ada").await;
    let task_path = ada.task(&ada.new_task("Buy milk").await["id"]);
    app.database()
        .execute("ALTER TABLE tasks DROP COLUMN title");
    let requests = vec![
        ada.get(&task_path),
        ada.get(&ada.tasks()),
        ada.post(&ada.tasks(), json!({ "title": "Buy tea" })),
        ada.patch(&task_path, json!({ "title": "Buy tea" })),
    ];
    assert_internal_errors(&app, &ada, requests, "title").await;
    let response = ada.delete(&task_path).await.ok();
    assert_eq!(response["success"], true);
}

async fn a_connection_is_usable_after_a_failed_statement(app: App) {
    let ada = app.user("ada").await;
    ada.new_task("Buy milk").await;
    app.database()
        .execute("ALTER TABLE tasks RENAME TO renamed_tasks");
    // The pool has 4 connections, so with ten requests at least one connection is used again after a failed statement.
    for _ in 0..10 {
        let refused = ada.post("/api/tasks", json!({ "title": "Buy tea" })).await;
        refused.problem(500, "INTERNAL_SERVER_ERROR");
    }
    app.database()
        .execute("ALTER TABLE renamed_tasks RENAME TO tasks");
    ada.new_task("Buy tea").await;
    assert_eq!(ada.all_tasks().await.as_array().unwrap().len(), 2);
}
