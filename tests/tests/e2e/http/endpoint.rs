//! Tests the methods of every documented path, and paths that do not exist.

use std::collections::{BTreeMap, BTreeSet};

use e2e::{App, on_both_engines};

use crate::operations::operations;

on_both_engines! {
    an_undocumented_method_is_405_and_allow_names_the_documented_methods,
    head_is_get_without_a_body,
    head_is_rejected_like_get_without_a_body,
    an_unknown_path_is_404_for_every_caller,
    the_documentation_page_allows_get_and_head_only,
}

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND",
];

async fn an_undocumented_method_is_405_and_allow_names_the_documented_methods(app: App) {
    let ada = app.user("ada").await;
    let mut documented_methods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for operation in operations(&app).await {
        let methods = documented_methods.entry(operation.path).or_default();
        if operation.method == "GET" {
            methods.insert("HEAD".to_owned());
        }
        methods.insert(operation.method);
    }
    for (path_template, methods) in &documented_methods {
        let path = path_template
            .replace("{user_id}", ada.id())
            .replace("{task_id}", "1");
        for method in METHODS.iter().filter(|method| !methods.contains(**method)) {
            for caller in [&ada, &app.anonymous()] {
                let response = caller.request(method, &path).await;
                let allow_header = response.header("allow").unwrap();
                let allowed_methods: BTreeSet<_> =
                    allow_header.split(", ").map(ToOwned::to_owned).collect();
                assert_eq!(allowed_methods, *methods, "{method} {path}");
                if *method == "HEAD" {
                    assert!(response.assert_status(405).text().is_empty());
                } else {
                    response.problem(405, "METHOD_NOT_ALLOWED");
                }
            }
        }
    }
}

async fn the_documentation_page_allows_get_and_head_only(app: App) {
    let caller = app.anonymous();
    for path in ["/docs", "/docs/", "/docs/index.html", "/docs/nothing"] {
        for method in ["POST", "PUT", "DELETE", "TRACE"] {
            let response = caller.request(method, path).await;
            assert_eq!(response.header("allow"), Some("GET, HEAD"));
            response.problem(405, "METHOD_NOT_ALLOWED");
        }
    }
    let page = caller.request("HEAD", "/docs/").await.assert_status(200);
    assert!(page.text().is_empty());
    let missing_file = caller.get("/docs/nothing").await;
    missing_file.problem(404, "NOT_FOUND");
}

async fn head_is_get_without_a_body(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    ada.new_task("Buy tea").await;
    for path in [
        "/healthz",
        "/readyz",
        "/api/openapi.json",
        "/api/auth/session",
        "/api/auth/account",
        "/api/tasks",
        "/api/tasks?limit=1",
        &ada.tasks(),
        &ada.task(&task["id"]),
    ] {
        let get_response = ada.get(path).await.assert_status(200);
        let head_response = ada.request("HEAD", path).await.assert_status(200);
        for name in ["content-type", "content-length", "link", "cache-control"] {
            assert_eq!(
                head_response.header(name),
                get_response.header(name),
                "{path} {name}"
            );
        }
        assert!(!get_response.text().is_empty());
        assert!(head_response.text().is_empty());
    }
}

async fn head_is_rejected_like_get_without_a_body(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    for (caller, path, status) in [
        (&app.anonymous(), ada.tasks(), 401),
        (&eve, ada.tasks(), 403),
        (&ada, ada.task(&4711.into()), 404),
        (&ada, "/api/nothing".to_owned(), 404),
        (&ada, "/api/auth/login".to_owned(), 405),
    ] {
        let get_response = caller.get(&path).await.assert_status(status);
        let mut connection = app.connect().await;
        let authorization = match caller.token() {
            "" => String::new(),
            token => format!("authorization: Bearer {token}\r\n"),
        };
        let head_request = format!("HEAD {path} HTTP/1.1\r\nhost: e2e\r\n{authorization}\r\n");
        connection.send(head_request.as_bytes()).await;
        let head_response = connection
            .response_to("HEAD")
            .await
            .unwrap()
            .assert_status(status);
        for name in ["content-type", "content-length", "www-authenticate"] {
            assert_eq!(
                head_response.header(name),
                get_response.header(name),
                "{path} {name}"
            );
        }
        // The response to `HEAD` has no body, so the next bytes on the connection are the response to `health_request`.
        let health_request = "GET /healthz HTTP/1.1\r\nhost: e2e\r\n\r\n";
        connection.send(health_request.as_bytes()).await;
        connection.response().await.unwrap().ok();
    }
}

async fn an_unknown_path_is_404_for_every_caller(app: App) {
    let ada = app.user("ada").await;
    for path in [
        "/nothing",
        "/tasks/",
        "/assets",
        "/assets/",
        "/assets/app.js",
        "/assets/0/app.js",
        "/api",
        "/api/",
        "/api/auth",
        "/api/auth/",
        "/api/auth/nothing",
        "/api/auth/register/",
        "/api/auth/login/x",
        "/api/v1",
        "/api/v2/tasks/1/2",
        "/api/tasks/",
        "/api/tasks/1/nothing",
        "/api//tasks",
        "//api/tasks",
        "/api/TASKS",
        "/API/tasks",
        "/healthz/",
        "/.env",
        "/api/..%2fhealthz",
        "/%00",
        "/%ff",
        "/%zz",
        "/%",
        "/caf%C3%A9",
    ] {
        for caller in [&ada, &app.anonymous()] {
            for method in ["GET", "POST", "DELETE"] {
                let response = caller.request(method, path).await;
                let problem = response.problem(404, "NOT_FOUND");
                assert_eq!(problem["detail"], "Nothing has this address");
            }
        }
    }
}
