//! Adds aliases to the OpenAPI document. An alias is a further path of an operation; a handler declares only one path.

use utoipa::Modify;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Operation;

use super::operations;

/// Adds every alias, with the operations of the declared path.
pub(super) struct Aliases;

/// Pairs of a declared path and one of its aliases. Append a new pair: the ids of the operations contain the
/// position of the pair.
const ALIASES: &[(&str, &str)] = &[
    ("/api/auth/register", "/api/auth/signup"),
    ("/api/{user_id}/tasks", "/api/tasks"),
    ("/api/{user_id}/tasks", "/api/v1/tasks"),
    ("/api/{user_id}/tasks/{task_id}", "/api/tasks/{task_id}"),
    ("/api/{user_id}/tasks/{task_id}", "/api/v1/tasks/{task_id}"),
    (
        "/api/{user_id}/tasks/{task_id}/complete",
        "/api/tasks/{task_id}/complete",
    ),
    (
        "/api/{user_id}/tasks/{task_id}/complete",
        "/api/v1/tasks/{task_id}/complete",
    ),
    ("/.well-known/jwks.json", "/api/auth/jwks"),
];

/// The paths of lists of tasks. Below each path, `POST {task_id}/toggle` does the same as `PATCH {task_id}/complete`.
const TASK_LIST_PATHS: &[&str] = &["/api/{user_id}/tasks", "/api/tasks", "/api/v1/tasks"];

impl Modify for Aliases {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let paths = &mut api.paths.paths;
        for (index, (path, alias)) in ALIASES.iter().enumerate() {
            let Some(mut item) = paths.get(*path).cloned() else {
                continue;
            };
            for operation in operations(&mut item) {
                extend_id(operation, &index.to_string());
                if !alias.contains("{user_id}") {
                    remove_user_id_parameter(operation);
                }
            }
            paths.insert((*alias).to_owned(), item);
        }
        for (index, path) in TASK_LIST_PATHS.iter().enumerate() {
            let Some(mut item) = paths.get(&format!("{path}/{{task_id}}/complete")).cloned() else {
                continue;
            };
            item.post = item.patch.take();
            if let Some(operation) = &mut item.post {
                extend_id(operation, &format!("Post{index}"));
            }
            paths.insert(format!("{path}/{{task_id}}/toggle"), item);
        }
    }
}

/// Appends `Alias` and a suffix to the operation id, because operation ids must be unique (OpenAPI 3.1 § 4.8.10).
fn extend_id(operation: &mut Operation, suffix: &str) {
    if let Some(id) = &mut operation.operation_id {
        id.push_str("Alias");
        id.push_str(suffix);
    }
}

fn remove_user_id_parameter(operation: &mut Operation) {
    if let Some(parameters) = &mut operation.parameters {
        parameters.retain(
            |parameter| !matches!(parameter, RefOr::T(parameter) if parameter.name == "user_id"),
        );
    }
}
