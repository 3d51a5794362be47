//! Tests that only the owner may read and change a task.

mod imported_id;
mod list;
mod task_id;
mod user_id;

use std::collections::BTreeSet;

use e2e::{App, Client, Request, on_both_engines};
use serde_json::json;

use crate::operations::operations;

on_both_engines! {
    the_requests_of_these_tests_are_all_operations_below_a_user_id,
}

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

async fn the_requests_of_these_tests_are_all_operations_below_a_user_id(app: App) {
    let documented: BTreeSet<_> = operations(&app)
        .await
        .into_iter()
        .filter(|operation| operation.path.contains("{user_id}"))
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    let requests = all_requests(&app.anonymous(), "/api/{user_id}/tasks", "{task_id}");
    let requested: BTreeSet<_> = requests.iter().map(Request::operation).collect();
    assert_eq!(
        requested, documented,
        "add the missing operations to `all_requests`"
    );
}
