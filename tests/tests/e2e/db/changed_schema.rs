//! A missing table or column: the routes that need it respond with 500, and only the log has the cause.

use e2e::{App, Client, Request, log_lines, on_both_engines};
use serde_json::json;

use super::{assert_other_routes_work, requests};

on_both_engines! {
    a_missing_table_is_an_internal_error,
    a_missing_column_is_an_internal_error,
    a_connection_works_after_a_failed_statement,
}

/// Asserts a 500 that does not reveal its cause. The log has the cause, with the request id.
async fn assert_internal_error(request: Request, id: &str, cause: &str) {
    let response = request.header("x-request-id", id).await;
    assert_eq!(response.header("x-request-id"), Some(id));
    let printed = format!("{response:?}").to_lowercase();
    let problem = response.problem(500, "INTERNAL_SERVER_ERROR");
    let detail = "Something went wrong on our side; the request id names it in our log";
    assert_eq!(problem["detail"], detail);
    for word in [
        cause, "sql", "column", "relation", "table", "users", "query", "diesel",
    ] {
        assert!(!printed.contains(word), "{printed}");
    }
    let logged = log_lines::find(id);
    let has_cause = |line: &String| line.starts_with("ERROR") && line.contains(cause);
    assert!(logged.iter().any(has_cause), "{logged:?}");
}

async fn assert_internal_errors(app: &App, ada: &Client, requests: Vec<Request>, cause: &str) {
    for (number, request) in requests.into_iter().enumerate() {
        let id = format!("{}-{number}", ada.id());
        assert_internal_error(request, &id, cause).await;
        assert_other_routes_work(ada).await;
    }
    assert_eq!(
        app.anonymous().get("/readyz").await.ok(),
        json!({ "status": "ready" })
    );
}

async fn a_missing_table_is_an_internal_error(app: App) {
    let ada = app.user("ada").await;
    let task = ada.task(&ada.new_task("Buy milk").await["id"]);
    let mut all = requests(&ada, &task);
    all.pop();
    app.database()
        .execute("DROP TABLE sessions; DROP TABLE tasks; DROP TABLE imported_tasks");
    let (mut user_requests, task_requests) = (all.drain(..4).collect::<Vec<_>>(), all);
    assert_internal_errors(&app, &ada, task_requests, "tasks").await;
    app.database().execute("DROP TABLE users");
    user_requests.truncate(4);
    assert_internal_errors(&app, &ada, user_requests, "users").await;
}

async fn a_missing_column_is_an_internal_error(app: App) {
    let ada = app.user("ada").await;
    let task = ada.task(&ada.new_task("Buy milk").await["id"]);
    app.database()
        .execute("ALTER TABLE tasks DROP COLUMN title");
    let requests = vec![
        ada.get(&task),
        ada.get(&ada.tasks()),
        ada.post(&ada.tasks(), json!({ "title": "Buy tea" })),
        ada.patch(&task, json!({ "title": "Buy tea" })),
    ];
    assert_internal_errors(&app, &ada, requests, "title").await;
    let deleted = ada.delete(&task).await.ok();
    assert_eq!(deleted["success"], true);
}

async fn a_connection_works_after_a_failed_statement(app: App) {
    let ada = app.user("ada").await;
    ada.new_task("Buy milk").await;
    app.database()
        .execute("ALTER TABLE tasks RENAME TO renamed_tasks");
    // More requests than the pool has connections.
    for _ in 0..10 {
        let refused = ada.post("/api/tasks", json!({ "title": "Buy tea" })).await;
        refused.problem(500, "INTERNAL_SERVER_ERROR");
    }
    app.database()
        .execute("ALTER TABLE renamed_tasks RENAME TO tasks");
    ada.new_task("Buy tea").await;
    assert_eq!(ada.all_tasks().await.as_array().unwrap().len(), 2);
}
