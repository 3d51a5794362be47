//! Tests failures, migrations and columns of the database, and the limit on the requests of one account that wait for
//! the database.

mod account_queue;
mod changed_schema;
mod locked;
mod migrations;
mod outage;
mod pooler;
mod releases;
mod restart;
mod schema;

use std::time::{Duration, Instant};

use e2e::{Client, Request, Response};
use serde_json::json;

/// The longest time to a response while the database does not respond. A response takes up to 2.5 s on an idle machine;
/// the tests allow more, because many of them run at once.
const MAX_RESPONSE_TIME: Duration = Duration::from_secs(15);

/// Returns valid requests that need the database: four for users, seven for tasks, and `GET /readyz`.
fn database_requests(ada: &Client, task_path: &str) -> Vec<Request> {
    let login_body = json!({ "email": ada.email(), "password": ada.password() });
    let registration = json!({ "email": "eve@example.com", "password": "correct horse" });
    let task_body = json!({ "title": "Buy tea" });
    vec![
        ada.post("/api/auth/login", login_body),
        ada.post("/api/auth/register", registration),
        ada.get("/api/auth/account"),
        ada.patch("/api/auth/account", json!({ "name": "Ada" })),
        ada.get(&ada.tasks()),
        ada.post(&ada.tasks(), task_body.clone()),
        ada.get(task_path),
        ada.put(task_path, task_body.clone()),
        ada.patch(task_path, task_body),
        ada.request("PATCH", &format!("{task_path}/complete")),
        ada.delete(task_path),
        ada.get("/readyz"),
    ]
}

/// Sends the request and asserts that the response comes within [`MAX_RESPONSE_TIME`].
async fn send_within_max_time(request: Request) -> Response {
    let started = Instant::now();
    let response = request.await;
    let elapsed = started.elapsed();
    assert!(
        elapsed < MAX_RESPONSE_TIME,
        "{elapsed:?}: {}",
        response.text()
    );
    response
}

/// Asserts that four routes that need no database respond, each within [`MAX_RESPONSE_TIME`].
async fn assert_database_free_routes_respond(ada: &Client) {
    let session_response = send_within_max_time(ada.get("/api/auth/session"))
        .await
        .ok();
    assert_eq!(session_response["user"]["id"], ada.id());
    let health_response = send_within_max_time(ada.get("/healthz")).await.ok();
    assert_eq!(health_response, json!({ "status": "ok" }));
    send_within_max_time(ada.get("/api/openapi.json"))
        .await
        .ok();
    let refused = send_within_max_time(ada.get("/api/another-user/tasks")).await;
    refused.problem(403, "FORBIDDEN");
}
