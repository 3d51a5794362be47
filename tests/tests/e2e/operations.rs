//! Reads the operations of the server from the OpenAPI document.

use e2e::{App, Client, Request};
use serde_json::{Value, json};

/// An operation of the OpenAPI document: a URL path and a method.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Operation {
    /// The path with its parameters, as in `/api/{user_id}/tasks`.
    pub(crate) path: String,
    /// The method in upper case.
    pub(crate) method: String,
    /// Whether the operation needs an access token.
    pub(crate) protected: bool,
    /// The scope that the access token must have.
    pub(crate) scope: Option<String>,
}

impl Operation {
    /// Returns the path with these ids in place of `{user_id}` and `{task_id}`.
    pub(crate) fn path_with_ids(&self, user_id: &str, task_id: &str) -> String {
        let path = self.path.replace("{user_id}", user_id);
        path.replace("{task_id}", task_id)
    }

    /// Builds a request for this operation, with this user id and task id 1. The body is not JSON; a `GET` has no body.
    pub(crate) fn request(&self, caller: &Client, user_id: &str) -> Request {
        let request = caller.request(&self.method, &self.path_with_ids(user_id, "1"));
        if self.method == "GET" {
            return request;
        }
        request.body("not JSON")
    }
}

/// Returns the OpenAPI document that the server sends.
pub(crate) async fn openapi_document(app: &App) -> Value {
    app.anonymous().get("/api/openapi.json").await.ok()
}

/// Returns all operations, in the order of their paths.
pub(crate) async fn operations(app: &App) -> Vec<Operation> {
    let document = openapi_document(app).await;
    let mut operations = Vec::new();
    for (path, path_item) in document["paths"].as_object().unwrap() {
        for (method, operation) in path_item.as_object().unwrap() {
            let security = &operation["security"];
            let scopes = security.pointer("/0/bearer").and_then(Value::as_array);
            let known_requirements = [
                Value::Null,
                json!([{ "bearer": scopes }]),
                json!([{ "revocations": [] }]),
                json!([{ "better_auth": [] }]),
            ];
            assert!(known_requirements.contains(security), "{security}");
            let scope = scopes.and_then(|scopes| scopes.first()?.as_str());
            operations.push(Operation {
                path: path.clone(),
                method: method.to_uppercase(),
                protected: scopes.is_some(),
                scope: scope.map(ToOwned::to_owned),
            });
        }
    }
    operations.sort();
    assert!(!operations.is_empty());
    operations
}

/// Returns the operations that need an access token.
pub(crate) async fn protected(app: &App) -> Vec<Operation> {
    let mut operations = operations(app).await;
    operations.retain(|operation| operation.protected);
    operations
}
