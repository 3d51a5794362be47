//! A schema that was changed: 500 for the routes that need it, with the cause only in the log.

use e2e::{App, Client, Request, log_lines, on_both_engines};
use serde_json::json;

use super::{assert_the_rest_works, requests};

on_both_engines! {
    a_lost_table_is_an_internal_error,
    a_lost_column_is_an_internal_error,
    a_failed_statement_leaves_a_connection_that_works,
}

/// Asserts a 500 that does not reveal its cause, which the log has with the request id.
async fn assert_fault(request: Request, id: &str, cause: &str) {
    let response = request.header("x-request-id", id).await;
    assert_eq!(response.header("x-request-id"), Some(id));
    let shown = format!("{response:?}").to_lowercase();
    let problem = response.problem(500, "INTERNAL_SERVER_ERROR");
    let detail = "Something went wrong on our side; the request id names it in our log";
    assert_eq!(problem["detail"], detail);
    for inner in [
        cause, "sql", "column", "relation", "table", "users", "query", "diesel",
    ] {
        assert!(!shown.contains(inner), "{shown}");
    }
    let logged = log_lines::with(id);
    let has_cause = |line: &String| line.starts_with("ERROR") && line.contains(cause);
    assert!(logged.iter().any(has_cause), "{logged:?}");
}

async fn assert_faults(app: &App, ada: &Client, requests: Vec<Request>, cause: &str) {
    for (number, request) in requests.into_iter().enumerate() {
        let id = format!("{}-{number}", ada.id());
        assert_fault(request, &id, cause).await;
        assert_the_rest_works(ada).await;
    }
    assert_eq!(
        app.anonymous().get("/readyz").await.ok(),
        json!({ "status": "ready" })
    );
}

async fn a_lost_table_is_an_internal_error(app: App) {
    let ada = app.user("ada").await;
    let task = ada.task(&ada.new_task("Buy milk").await["id"]);
    let mut all = requests(&ada, &task);
    all.pop();
    app.database()
        .execute("DROP TABLE sessions; DROP TABLE tasks; DROP TABLE imported_tasks");
    let (mut of_users, of_tasks) = (all.drain(..4).collect::<Vec<_>>(), all);
    assert_faults(&app, &ada, of_tasks, "tasks").await;
    app.database().execute("DROP TABLE users");
    of_users.truncate(4);
    assert_faults(&app, &ada, of_users, "users").await;
}

async fn a_lost_column_is_an_internal_error(app: App) {
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
    assert_faults(&app, &ada, requests, "title").await;
    let deleted = ada.delete(&task).await.ok();
    assert_eq!(deleted["success"], true);
}

async fn a_failed_statement_leaves_a_connection_that_works(app: App) {
    let ada = app.user("ada").await;
    ada.new_task("Buy milk").await;
    app.database()
        .execute("ALTER TABLE tasks RENAME TO elsewhere");
    // More requests than the pool has connections.
    for _ in 0..10 {
        let refused = ada.post("/api/tasks", json!({ "title": "Buy tea" })).await;
        refused.problem(500, "INTERNAL_SERVER_ERROR");
    }
    app.database()
        .execute("ALTER TABLE elsewhere RENAME TO tasks");
    ada.new_task("Buy tea").await;
    assert_eq!(ada.all_tasks().await.as_array().unwrap().len(), 2);
}
