//! Failures of the database, the contents of its tables, and the share of it that one account may use.

mod account_queue;
mod changed_schema;
mod locked;
mod migrations;
mod outage;
mod restart;
mod schema;

use std::time::{Duration, Instant};

use e2e::{Client, Request, Response};
use serde_json::json;

/// The time within which a caller gets a response while the database does not respond.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Returns a valid request to every route that needs the database.
fn requests(ada: &Client, task: &str) -> Vec<Request> {
    let login = json!({ "email": ada.email(), "password": ada.password() });
    let eve = json!({ "email": "eve@example.com", "password": "correct horse" });
    let title = json!({ "title": "Buy tea" });
    vec![
        ada.post("/api/auth/login", login),
        ada.post("/api/auth/register", eve),
        ada.get("/api/auth/account"),
        ada.patch("/api/auth/account", json!({ "name": "Ada" })),
        ada.get(&ada.tasks()),
        ada.post(&ada.tasks(), title.clone()),
        ada.get(task),
        ada.put(task, title.clone()),
        ada.patch(task, title),
        ada.request("PATCH", &format!("{task}/complete")),
        ada.delete(task),
        ada.get("/readyz"),
    ]
}

/// Sends the request and asserts that its response comes in time.
async fn send_in_time(request: Request) -> Response {
    let sent = Instant::now();
    let response = request.await;
    let elapsed = sent.elapsed();
    assert!(elapsed < TIMEOUT, "{elapsed:?}: {}", response.text());
    response
}

/// Asserts that routes that need no database still work.
async fn assert_other_routes_work(ada: &Client) {
    let session = send_in_time(ada.get("/api/auth/session")).await.ok();
    assert_eq!(session["user"]["id"], ada.id());
    let health = send_in_time(ada.get("/healthz")).await.ok();
    assert_eq!(health, json!({ "status": "ok" }));
    send_in_time(ada.get("/api/openapi.json")).await.ok();
    let forbidden = send_in_time(ada.get("/api/another-user/tasks")).await;
    forbidden.problem(403, "FORBIDDEN");
}
