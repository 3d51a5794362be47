//! The other names of some addresses, which the document describes like the first.

use utoipa::Modify;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Operation;

use super::operations;

/// Adds the other names.
pub(super) struct Aliases;

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
];

/// `…/toggle` is `…/complete` by another method.
const TOGGLES: &[&str] = &["/api/{user_id}/tasks", "/api/tasks", "/api/v1/tasks"];

impl Modify for Aliases {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let paths = &mut api.paths.paths;
        for (number, (name, alias)) in ALIASES.iter().enumerate() {
            let Some(mut item) = paths.get(*name).cloned() else {
                continue;
            };
            for operation in operations(&mut item) {
                rename(operation, &number.to_string());
                if !alias.contains("{user_id}") {
                    forget_user_id(operation);
                }
            }
            paths.insert((*alias).to_owned(), item);
        }
        for (number, base) in TOGGLES.iter().enumerate() {
            let Some(mut item) = paths.get(&format!("{base}/{{task_id}}/complete")).cloned() else {
                continue;
            };
            item.post = item.patch.take();
            if let Some(operation) = &mut item.post {
                rename(operation, &format!("Post{number}"));
            }
            paths.insert(format!("{base}/{{task_id}}/toggle"), item);
        }
    }
}

/// Operation ids are unique.
fn rename(operation: &mut Operation, suffix: &str) {
    if let Some(id) = &mut operation.operation_id {
        id.push_str("Alias");
        id.push_str(suffix);
    }
}

fn forget_user_id(operation: &mut Operation) {
    if let Some(parameters) = &mut operation.parameters {
        parameters.retain(
            |parameter| !matches!(parameter, RefOr::T(parameter) if parameter.name == "user_id"),
        );
    }
}
