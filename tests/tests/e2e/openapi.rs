//! Tests that the operations and the error bodies in the OpenAPI document match the server, and that the web page of
//! the document loads no file from another server.

use std::collections::BTreeSet;

use auth_core::public_key::Algorithm;
use e2e::{App, Engine, Response, on_both_engines};
use serde_json::Value;

use crate::operations::{Operation, openapi_document, operations};
use crate::well_known::{new_key, start_with_key};

on_both_engines! {
    every_documented_operation_exists,
    the_document_lists_the_expected_operations_and_which_need_a_token,
    every_operation_has_a_unique_id_and_an_error_body,
    every_error_body_matches_its_documented_schema,
    an_optional_body_may_be_absent_but_must_not_be_null,
    the_document_equals_the_file_in_the_repository,
    the_documentation_page_loads_no_file_from_another_server,
}

async fn every_documented_operation_exists(engine: Engine) {
    // Without a signing key, or if the issuer is not the server's URL, paths under `/.well-known` respond 404.
    let options = App::on(engine).set("auth-issuer", "http://127.0.0.1:8080");
    let app = start_with_key(options, &new_key(Algorithm::EdDsa));
    let ada = app.user("ada").await;
    for operation in operations(&app).await {
        let response = operation.request(&ada, ada.id()).await;
        let code = response.code();
        let is_missing = code == "NOT_FOUND" || code == "METHOD_NOT_ALLOWED";
        assert!(!is_missing, "{operation:?}: {}", response.text());
        assert!(
            response.status() < 500,
            "{operation:?}: {}",
            response.text()
        );
    }
}

/// All documented operations except those on tasks. A star marks the operations that need an access token.
const OPERATIONS: &str = "
    POST    /api/auth/register
    POST    /api/auth/signup
    POST    /api/auth/login
    POST    /api/auth/refresh
    POST    /api/auth/logout
    GET    * /api/auth/session
    GET    * /api/auth/sessions
    DELETE * /api/auth/sessions/{id}
    POST   * /api/auth/token
    GET      /api/auth/token
    GET      /api/auth/revocations
    GET    * /api/auth/account
    PATCH  * /api/auth/account
    DELETE * /api/auth/account
    POST   * /api/auth/change-password
    POST     /api/auth/password-reset
    POST     /api/auth/password-reset/confirm
    POST     /api/auth/email-verification
    POST     /api/auth/email-verification/confirm
    POST   * /api/auth/email-change
    POST     /api/auth/email-change/confirm
    POST     /api/auth/email-change/undo
    GET     /.well-known/jwks.json
    GET     /api/auth/jwks
    GET     /.well-known/oauth-authorization-server
    GET     /healthz
    GET     /readyz
    GET     /api/openapi.json
";

/// The operations on tasks, with their paths after `/api/tasks`. Each operation also exists with `/api/v1/tasks` and
/// with `/api/{user_id}/tasks`.
const TASK_OPERATIONS: &str = "
    GET
    POST
    GET    /{task_id}
    PUT    /{task_id}
    PATCH  /{task_id}
    DELETE /{task_id}
    PATCH  /{task_id}/complete
    POST   /{task_id}/toggle
";

/// Returns the operations in [`OPERATIONS`] and [`TASK_OPERATIONS`] in the form `GET * /api/tasks`; without the star if
/// the operation needs no access token.
fn expected_operations() -> BTreeSet<String> {
    let mut operations = BTreeSet::new();
    for line in OPERATIONS.lines().filter(|line| !line.trim().is_empty()) {
        operations.insert(line.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    for line in TASK_OPERATIONS
        .lines()
        .filter(|line| !line.trim().is_empty())
    {
        let (method, suffix) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        for base_path in ["/api/{user_id}/tasks", "/api/tasks", "/api/v1/tasks"] {
            operations.insert(format!("{method} * {base_path}{}", suffix.trim()));
        }
    }
    operations
}

async fn the_document_lists_the_expected_operations_and_which_need_a_token(app: App) {
    let mut documented_operations = BTreeSet::new();
    for operation in operations(&app).await {
        let star = if operation.protected { " *" } else { "" };
        documented_operations.insert(format!("{}{star} {}", operation.method, operation.path));
    }
    let expected = expected_operations();
    assert_eq!(
        documented_operations, expected,
        "OPERATIONS must list every operation"
    );
}

async fn every_operation_has_a_unique_id_and_an_error_body(app: App) {
    let document = openapi_document(&app).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = BTreeSet::new();
    for path_item in document["paths"].as_object().unwrap().values() {
        for operation in path_item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} is repeated");
            let error_content = &operation["responses"]["default"]["content"];
            let media_type = if id == "getAccessToken" {
                "application/json"
            } else {
                "application/problem+json"
            };
            assert!(error_content[media_type].is_object(), "{id}");
        }
    }
    let code_values = document["components"]["schemas"]["Code"]["enum"].as_array();
    let code_texts = code_values.unwrap().iter().filter_map(Value::as_str);
    let codes: BTreeSet<_> = code_texts.map(ToOwned::to_owned).collect();
    assert_eq!(codes, crate::problem::all_codes());
}

/// Sends three requests to each operation: without credentials, with an invalid token and with a valid token. Requests
/// other than `GET` have a body that is not JSON. Then drops two tables and sends all requests again.
async fn every_error_body_matches_its_documented_schema(app: App) {
    let ada = app.user("ada").await;
    let document = openapi_document(&app).await;
    let mut failed_paths = BTreeSet::new();
    for tables_are_dropped in [false, true] {
        if tables_are_dropped {
            app.database()
                .execute("DROP TABLE tasks; DROP TABLE sessions");
        }
        for operation in operations(&app).await {
            for caller in [app.anonymous(), app.bearer("x.y.z"), ada.clone()] {
                let response = operation.request(&caller, ada.id()).await;
                if response.status() < 400 {
                    continue;
                }
                assert_documented(&document, &operation, &response);
                failed_paths.insert(operation.path.clone());
            }
        }
    }
    assert!(failed_paths.contains("/api/auth/token"));
    assert!(failed_paths.len() > 15, "{failed_paths:?}");
}

/// Asserts that the document has a schema for this status (or a default response) and this media type, and that the
/// body has the fields of this schema.
#[track_caller]
fn assert_documented(document: &Value, operation: &Operation, response: &Response) {
    let method = operation.method.to_lowercase();
    let responses = &document["paths"][&operation.path][method]["responses"];
    let status = response.status().to_string();
    let documented_response = responses.get(&status).unwrap_or(&responses["default"]);
    let media_type = response.header("content-type").unwrap_or("no content type");
    let schema_reference = documented_response["content"][media_type]["schema"]["$ref"].as_str();
    let schema_path = schema_reference
        .unwrap_or_else(|| panic!("{operation:?}: {media_type} {}", response.text()));
    let schema_name = schema_path.rsplit('/').next().unwrap();
    let schema = &document["components"]["schemas"][schema_name];
    let body: Value = serde_json::from_str(&response.text()).unwrap();
    for name in schema["required"].as_array().unwrap() {
        assert!(
            body.get(name.as_str().unwrap()).is_some(),
            "{operation:?}: {body}"
        );
    }
    for (name, value) in body.as_object().unwrap() {
        let property = &schema["properties"][name];
        assert!(property.is_object(), "{operation:?}: {name}");
        let is_text = property["type"] == "string";
        assert!(!is_text || value.is_string(), "{operation:?}: {body}");
    }
}

async fn an_optional_body_may_be_absent_but_must_not_be_null(app: App) {
    let ada = app.user("ada").await;
    let document = openapi_document(&app).await;
    for path in ["/api/auth/logout", "/api/auth/refresh"] {
        let request_body = &document["paths"][path]["post"]["requestBody"];
        assert_ne!(request_body["required"], true, "{path}");
        let schema = &request_body["content"]["application/json"]["schema"];
        assert!(schema["$ref"].is_string(), "{path}: {schema}");
        let refused = ada.post(path, "null").await;
        refused.problem(400, "INVALID_REQUEST");
    }
    ada.request("POST", "/api/auth/logout").await.ok();
}

async fn the_document_equals_the_file_in_the_repository(app: App) {
    let response = app.anonymous().get("/api/openapi.json").await;
    let committed_text = include_str!("../../../docs/openapi.json");
    // Not `assert_eq!`, which would print both documents in full.
    assert!(
        response.text() == committed_text,
        "run: cargo run -- openapi > docs/openapi.json"
    );
}

async fn the_documentation_page_loads_no_file_from_another_server(app: App) {
    let caller = app.anonymous();
    let redirect = caller.get("/docs").await.assert_status(308);
    assert_eq!(redirect.header("location"), Some("/docs/"));
    let page = caller.get("/docs/").await.assert_status(200);
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    let text = page.text();
    let mut link_count = 0;
    for attribute in ["src=\"", "href=\""] {
        for text_after_attribute in text.split(attribute).skip(1) {
            let link = text_after_attribute.split('"').next().unwrap();
            assert!(!link.contains("//"), "{link}");
            let path = format!("/docs/{}", link.trim_start_matches("./"));
            let file = caller.get(&path).await.assert_status(200);
            assert!(!file.text().is_empty());
            link_count += 1;
        }
    }
    assert!(link_count >= 5, "{text}");
    let initializer = caller
        .get("/docs/swagger-initializer.js")
        .await
        .assert_status(200);
    assert!(initializer.text().contains("/api/openapi.json"));
    let missing_file = caller.get("/docs/nothing.js").await;
    missing_file.problem(404, "NOT_FOUND");
}
