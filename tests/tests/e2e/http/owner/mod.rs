//! Tests that only the owner may read and change a task: every method and path of tasks rejects the ids of other users.

mod imported_id;
mod list;
mod task_id;
mod user_id;

use e2e::{Client, Request};
use serde_json::json;

/// The methods for one task, each with the suffix of its path.
const TASK_METHODS: [(&str, &str); 6] = [
    ("GET", ""),
    ("PUT", ""),
    ("PATCH", ""),
    ("DELETE", ""),
    ("PATCH", "/complete"),
    ("POST", "/toggle"),
];

/// Returns a request with each of the [`TASK_METHODS`] to the task with this id.
fn task_requests(caller: &Client, base: &str, id: &str) -> Vec<Request> {
    let request = |(method, suffix)| {
        let request = caller.request(method, &format!("{base}/{id}{suffix}"));
        match method {
            "PUT" | "PATCH" => request.body(json!({ "title": "stolen", "completed": true })),
            _ => request,
        }
    };
    TASK_METHODS.map(request).into()
}

/// Returns a request with each method to the list of tasks at the path `base`, and to the task with this id below it.
fn all_requests(caller: &Client, base: &str, id: &str) -> Vec<Request> {
    let mut requests = task_requests(caller, base, id);
    requests.push(caller.get(base));
    requests.push(caller.post(base, json!({ "title": "planted" })));
    requests
}
