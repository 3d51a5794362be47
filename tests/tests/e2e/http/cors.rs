//! Tests CORS, which lets pages of other origins read responses.

use e2e::{App, Client, DatabaseSession, Engine, Request, Response, on_both_engines};
use serde_json::json;

use crate::auth::login::LOGIN;
use crate::sessions::fixtures::{REFRESH, SESSION, user_with_device};

on_both_engines! {
    an_allowed_origin_may_read_every_response,
    a_disallowed_origin_may_read_no_response,
    a_preflight_from_an_allowed_origin_lists_what_a_page_may_send,
    a_preflight_from_a_disallowed_origin_allows_nothing,
    without_allowed_origins_there_is_no_cors,
}

const ALLOWED_ORIGIN: &str = "https://app.example";

const DISALLOWED_ORIGINS: [&str; 8] = [
    "https://evil.example",
    "null",
    "https://sub.app.example",
    "https://app.example:8443",
    "http://app.example",
    "https://APP.example",
    "https://app.example.evil.example",
    "http://127.0.0.1:8080",
];

fn start_app(engine: Engine) -> App {
    let allowed_origins = "https://app.example,http://localhost:3000";
    App::on(engine)
        .set("allowed-origins", allowed_origins)
        .start()
}

/// Returns requests that lead to many different statuses, each with the expected status.
fn requests_with_statuses(app: &App, user: &Client, token: &str) -> Vec<(u16, Request)> {
    let (bearer_caller, anonymous_caller) = (app.bearer(token), app.anonymous());
    let cookie_request = anonymous_caller.post("/api/tasks", json!({ "title": "t" }));
    let cookie_request = cookie_request.header("cookie", &format!("access_token={token}"));
    vec![
        (200, bearer_caller.get(SESSION)),
        (200, anonymous_caller.get("/api/openapi.json")),
        (
            201,
            bearer_caller.post("/api/tasks", json!({ "title": "t" })),
        ),
        (400, bearer_caller.post("/api/tasks", "{")),
        (401, anonymous_caller.get(SESSION)),
        (401, anonymous_caller.post(REFRESH, json!({}))),
        (403, bearer_caller.get("/api/another-user/tasks")),
        (404, bearer_caller.get(&user.task(&json!(4711)))),
        (404, anonymous_caller.get("/api/nothing")),
        (404, anonymous_caller.get("/docs/nothing.js")),
        (404, bearer_caller.delete("/api/auth/sessions/%ff")),
        (405, anonymous_caller.get(LOGIN)),
        (405, anonymous_caller.request("OPTIONS", LOGIN)),
        (413, bearer_caller.post("/api/tasks", " ".repeat(70_000))),
        (415, bearer_caller.post("/api/tasks", "t".as_bytes())),
        (422, bearer_caller.post("/api/tasks", json!({}))),
        (403, cookie_request.header("sec-fetch-site", "cross-site")),
    ]
}

/// Returns the names of the CORS headers of this response.
fn cors_headers(response: &Response) -> Vec<String> {
    let cors_header_names = [
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-expose-headers",
        "access-control-max-age",
    ];
    let present_names = cors_header_names
        .iter()
        .filter(|name| !response.header_values(name).is_empty());
    present_names.map(ToString::to_string).collect()
}

fn allows_an_origin(response: &Response) -> bool {
    !response
        .header_values("access-control-allow-origin")
        .is_empty()
}

fn varies_by_origin(response: &Response) -> bool {
    let vary = response.header_values("vary").join(",").to_lowercase();
    vary.split(',').any(|name| name.trim() == "origin")
}

/// Asserts that a page of this origin may read the response.
#[track_caller]
fn assert_readable(response: &Response, origin: &str) {
    let header = |name| response.header(name);
    assert_eq!(
        header("access-control-allow-origin"),
        Some(origin),
        "{response:?}"
    );
    assert_eq!(header("access-control-allow-credentials"), Some("true"));
    assert!(varies_by_origin(response), "{response:?}");
    let exposed_headers = header("access-control-expose-headers").unwrap();
    for name in [
        "link",
        "location",
        "retry-after",
        "traceparent",
        "www-authenticate",
        "x-request-id",
    ] {
        let mut exposed_names = exposed_headers.split(',').map(str::trim);
        assert!(
            exposed_names.any(|exposed_name| exposed_name.eq_ignore_ascii_case(name)),
            "{exposed_headers}"
        );
    }
}

async fn an_allowed_origin_may_read_every_response(engine: Engine) {
    let app = start_app(engine);
    let (ada, device) = user_with_device(&app, "ada").await;
    for (status, request) in requests_with_statuses(&app, &ada, &device.access) {
        for origin in [ALLOWED_ORIGIN, "http://localhost:3000"] {
            let response = request.clone().header("origin", origin).await;
            // From an allowed origin, the request with the cookie gets 201 instead of the listed 403.
            if response.status() != 201 {
                assert_eq!(response.status(), status, "{request:?}");
            }
            assert_readable(&response, origin);
        }
    }
    let mut locking_session = app.database().open_session();
    locking_session.execute(match &locking_session {
        DatabaseSession::Sqlite(_) => "BEGIN IMMEDIATE",
        DatabaseSession::Postgres(_) => "BEGIN; LOCK TABLE tasks",
    });
    let bearer_caller = app.bearer(device.access.as_str());
    let create_request = bearer_caller.post("/api/tasks", json!({ "title": "t" }));
    let unavailable_response = create_request.header("origin", ALLOWED_ORIGIN).await;
    assert_readable(&unavailable_response, ALLOWED_ORIGIN);
    unavailable_response.problem(503, "DATABASE_UNAVAILABLE");
    locking_session.execute("ROLLBACK");
    app.database().execute("DROP TABLE tasks");
    let error_response = bearer_caller
        .get("/api/tasks")
        .header("origin", ALLOWED_ORIGIN)
        .await;
    assert_readable(&error_response, ALLOWED_ORIGIN);
    error_response.problem(500, "INTERNAL_SERVER_ERROR");
}

async fn a_disallowed_origin_may_read_no_response(engine: Engine) {
    let app = start_app(engine);
    let (ada, device) = user_with_device(&app, "ada").await;
    for (status, request) in requests_with_statuses(&app, &ada, &device.access) {
        for origin in DISALLOWED_ORIGINS {
            let response = request.clone().header("origin", origin).await;
            // From the server's own origin, the request with the cookie is accepted and does not get the listed 403.
            if origin != "http://127.0.0.1:8080" {
                assert_eq!(response.status(), status, "{request:?}");
            }
            // Without `Access-Control-Allow-Origin`, a browser ignores all other CORS headers.
            assert!(!allows_an_origin(&response), "{response:?}");
            assert!(varies_by_origin(&response), "{response:?}");
        }
        assert!(!allows_an_origin(&request.clone().await));
    }
}

fn preflight_request(app: &App, path: &str, origin: &str, method: &str, headers: &str) -> Request {
    let request = app.anonymous().request("OPTIONS", path);
    let request = request.header("origin", origin);
    let request = request.header("access-control-request-method", method);
    request.header("access-control-request-headers", headers)
}

async fn a_preflight_from_an_allowed_origin_lists_what_a_page_may_send(engine: Engine) {
    let app = start_app(engine);
    for path in ["/api/tasks", REFRESH, "/api/auth/account", "/api/nothing"] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let headers = "authorization,content-type";
            let response = preflight_request(&app, path, ALLOWED_ORIGIN, method, headers)
                .await
                .assert_status(200);
            let header = |name| response.header(name).unwrap().to_lowercase();
            assert_eq!(header("access-control-allow-origin"), ALLOWED_ORIGIN);
            assert_eq!(header("access-control-allow-credentials"), "true");
            assert_eq!(header("access-control-max-age"), "600");
            assert!(varies_by_origin(&response));
            let allowed_methods = header("access-control-allow-methods");
            assert!(
                allowed_methods.contains(&method.to_lowercase()),
                "{allowed_methods}"
            );
            let allowed_headers = header("access-control-allow-headers");
            for name in [
                "authorization",
                "content-type",
                "traceparent",
                "tracestate",
                "x-request-id",
            ] {
                assert!(allowed_headers.contains(name), "{allowed_headers}");
            }
            assert!(response.text().is_empty());
        }
    }
    for (method, headers) in [("TRACE", "accept"), ("GET", "x-user-id"), ("GET", "cookie")] {
        let response = preflight_request(&app, "/api/tasks", ALLOWED_ORIGIN, method, headers).await;
        response.problem(400, "INVALID_REQUEST");
    }
}

async fn a_preflight_from_a_disallowed_origin_allows_nothing(engine: Engine) {
    let app = start_app(engine);
    for origin in DISALLOWED_ORIGINS {
        let response = preflight_request(&app, "/api/tasks", origin, "POST", "content-type").await;
        assert!(!allows_an_origin(&response), "{response:?}");
    }
}

async fn without_allowed_origins_there_is_no_cors(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    for (status, request) in requests_with_statuses(&app, &ada, &device.access) {
        let response = request.header("origin", "https://evil.example").await;
        assert_eq!(response.status(), status);
        assert!(cors_headers(&response).is_empty());
    }
    let response =
        preflight_request(&app, "/api/tasks", ALLOWED_ORIGIN, "POST", "content-type").await;
    response.problem(405, "METHOD_NOT_ALLOWED");
}
