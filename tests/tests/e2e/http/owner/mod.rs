//! Tests that only the owner may read and change a task.

mod imported_id;
mod list;
mod task_id;
mod user_id;

use e2e::{Client, Request};
use serde_json::json;

/// The methods of a single task, each with the end of the path after the id of the task.
const TASK_METHODS: [(&str, &str); 6] = [
    ("GET", ""),
    ("PUT", ""),
    ("PATCH", ""),
    ("DELETE", ""),
    ("PATCH", "/complete"),
    ("POST", "/toggle"),
];

/// Returns a request with each of the [`TASK_METHODS`] to the task with this id below the path `list_path`.
fn task_requests(caller: &Client, list_path: &str, id: &str) -> Vec<Request> {
    let build_request = |(method, suffix)| {
        let request = caller.request(method, &format!("{list_path}/{id}{suffix}"));
        match method {
            "PUT" | "PATCH" => request.body(json!({ "title": "stolen", "completed": true })),
            _ => request,
        }
    };
    TASK_METHODS.map(build_request).into()
}

/// Returns a request with each method to the list of tasks at `list_path`, and to the task with this id below the list.
fn all_requests(caller: &Client, list_path: &str, id: &str) -> Vec<Request> {
    let mut requests = task_requests(caller, list_path, id);
    requests.push(caller.get(list_path));
    requests.push(caller.post(list_path, json!({ "title": "planted" })));
    requests
}
