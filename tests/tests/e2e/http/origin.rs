//! Tests the protection against cross-site request forgery: a request that changes data and is authorized by a cookie
//! must come from a trusted origin.

use e2e::{App, Client, Engine, Request, on_both_engines};
use serde_json::json;

use crate::operations::{Operation, protected};
use crate::sessions::fixtures::{
    Device, LOGOUT, REFRESH, SERVER_ORIGIN, counter, is_revoked, user_with_device,
};

on_both_engines! {
    every_change_by_cookie_needs_a_trusted_origin_before_the_body_is_read,
    trusted_origins_are_accepted,
    untrusted_origins_are_rejected,
    under_https_the_server_trusts_the_origin_of_the_public_url,
    reading_needs_no_origin,
    a_request_with_a_bearer_token_needs_no_origin,
    a_rejected_refresh_or_logout_changes_nothing,
}

const ALLOWED_ORIGIN: &str = "https://app.example";

fn start_app(engine: Engine) -> App {
    let allowed_origins = "https://app.example,http://localhost:3000";
    App::on(engine)
        .set("allowed-origins", allowed_origins)
        .start()
}

/// Returns the operations that need a token and may change data: those with another method than `GET`.
async fn operations_that_change_data(app: &App) -> Vec<Operation> {
    let mut operations = protected(app).await;
    operations.retain(|operation| operation.method != "GET");
    assert!(operations.len() > 20);
    operations
}

/// Builds a request for each operation that may change data, with the cookies of the device.
async fn requests_that_change_data(app: &App, user: &Client, device: &Device) -> Vec<Request> {
    let requests = operations_that_change_data(app)
        .await
        .into_iter()
        .map(|operation| {
            let request = operation.request(&app.anonymous(), user.id());
            request.header("cookie", &device.cookies())
        });
    requests.collect()
}

async fn every_change_by_cookie_needs_a_trusted_origin_before_the_body_is_read(engine: Engine) {
    let app = start_app(engine);
    let (ada, device) = user_with_device(&app, "ada").await;
    for request in requests_that_change_data(&app, &ada, &device).await {
        let rejection = request.clone().await;
        let problem = rejection.problem(403, "UNTRUSTED_ORIGIN");
        let detail = "A request with cookies must come from our own pages or from an origin in \
            ALLOWED_ORIGINS";
        assert_eq!(problem["detail"], detail);
        let cross_origin_request = request.clone().header("origin", "https://evil.example");
        cross_origin_request.await.problem(403, "UNTRUSTED_ORIGIN");
        // A request from a trusted origin fails later: its body is not JSON, or its task or session does not exist.
        for (name, value) in [
            ("origin", SERVER_ORIGIN),
            ("origin", ALLOWED_ORIGIN),
            ("sec-fetch-site", "same-origin"),
        ] {
            let response = request.clone().header(name, value).await;
            assert!(
                matches!(response.status(), 400 | 404),
                "{request:?} {}",
                response.text()
            );
        }
    }
}

/// Sends a request for a new task with the cookies of the device and these headers.
async fn add_task(app: &App, device: &Device, headers: &[(&str, &str)]) -> e2e::Response {
    let body = json!({ "title": "Buy milk" });
    let mut request = app.anonymous().post("/api/tasks", body);
    request = request.header("cookie", &device.cookies());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.await
}

async fn trusted_origins_are_accepted(engine: Engine) {
    let app = start_app(engine);
    let (_, device) = user_with_device(&app, "ada").await;
    for headers in [
        &[("origin", SERVER_ORIGIN)][..],
        &[("origin", ALLOWED_ORIGIN)],
        &[("origin", "http://localhost:3000")],
        &[("sec-fetch-site", "same-origin")],
        // If one of the two headers shows a trusted origin, the other header is ignored.
        &[("sec-fetch-site", "cross-site"), ("origin", ALLOWED_ORIGIN)],
        &[
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://evil.example"),
        ],
        &[("sec-fetch-site", "none"), ("origin", SERVER_ORIGIN)],
    ] {
        add_task(&app, &device, headers).await.created();
    }
}

const UNTRUSTED_ORIGINS: [&str; 22] = [
    "",
    "null",
    "*",
    "https://evil.example",
    "https://sub.app.example",
    "https://app.example.evil.example",
    "https://evilapp.example",
    "https://app.example:8443",
    "https://app.example:443",
    "http://app.example",
    "https://APP.example",
    "HTTPS://app.example",
    "https://app.example/",
    "https://app.example ,https://evil.example",
    "https://app.example https://app.example",
    "https://evil@app.example",
    "app.example",
    "http://127.0.0.1",
    "http://127.0.0.1:8081",
    "https://127.0.0.1:8080",
    "http://localhost:8080",
    "http://localhost",
];

async fn untrusted_origins_are_rejected(engine: Engine) {
    let app = start_app(engine);
    let (_, device) = user_with_device(&app, "ada").await;
    for origin in UNTRUSTED_ORIGINS {
        let rejection = add_task(&app, &device, &[("origin", origin)]).await;
        rejection.problem(403, "UNTRUSTED_ORIGIN");
    }
    for fetch_site in [
        "same-site",
        "cross-site",
        "none",
        "",
        "Same-Origin",
        "same-origin, same-origin",
        "same-origin;",
    ] {
        let rejection = add_task(&app, &device, &[("sec-fetch-site", fetch_site)]).await;
        rejection.problem(403, "UNTRUSTED_ORIGIN");
    }
    for headers in [
        &[][..],
        &[("origin", ALLOWED_ORIGIN), ("origin", ALLOWED_ORIGIN)],
        &[
            ("origin", ALLOWED_ORIGIN),
            ("origin", "https://evil.example"),
        ],
        &[
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "same-origin"),
        ],
        &[
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ],
        &[("referer", SERVER_ORIGIN)],
        &[("host", "app.example")],
        &[("x-requested-with", "XMLHttpRequest")],
    ] {
        let rejection = add_task(&app, &device, headers).await;
        assert!(matches!(rejection.status(), 400 | 403), "{headers:?}");
        assert!(!rejection.text().contains("Buy milk"));
    }
    let list_request = app.bearer(device.access.as_str()).get("/api/tasks");
    assert_eq!(list_request.await.ok(), json!([]));
}

async fn under_https_the_server_trusts_the_origin_of_the_public_url(engine: Engine) {
    let public_url = "https://api.example:8443";
    let app = App::on(engine).set("public-url", public_url).start();
    let (_, device) = user_with_device(&app, "ada").await;
    let cookie = format!("__Host-access_token={}", device.access);
    let request = app.anonymous().post("/api/tasks", json!({ "title": "t" }));
    let request = request.header("cookie", &cookie);
    request.clone().header("origin", public_url).await.created();
    for origin in [
        "https://api.example",
        "http://api.example:8443",
        SERVER_ORIGIN,
    ] {
        let rejection = request.clone().header("origin", origin).await;
        rejection.problem(403, "UNTRUSTED_ORIGIN");
    }
}

async fn reading_needs_no_origin(engine: Engine) {
    let app = start_app(engine);
    let (ada, device) = user_with_device(&app, "ada").await;
    for operation in protected(&app).await {
        let path = operation.path_with_ids(ada.id(), "1");
        if operation.method != "GET" {
            continue;
        }
        for method in ["GET", "HEAD"] {
            let request = app.anonymous().request(method, &path);
            let request = request.header("cookie", &device.cookies());
            let cross_origin_request = request.header("origin", "https://evil.example");
            let response = cross_origin_request
                .header("sec-fetch-site", "cross-site")
                .await;
            assert!(matches!(response.status(), 200 | 404), "{method} {path}");
        }
    }
}

async fn a_request_with_a_bearer_token_needs_no_origin(engine: Engine) {
    let app = start_app(engine);
    let (ada, device) = user_with_device(&app, "ada").await;
    let caller = app.bearer(device.access.as_str());
    for operation in operations_that_change_data(&app).await {
        let request = operation.request(&caller, ada.id());
        let request = request.header("cookie", &device.cookies());
        let cross_origin_request = request.header("origin", "https://evil.example");
        let response = cross_origin_request
            .header("sec-fetch-site", "cross-site")
            .await;
        assert!(
            matches!(response.status(), 400 | 404),
            "{}",
            response.text()
        );
    }
}

async fn a_rejected_refresh_or_logout_changes_nothing(engine: Engine) {
    let app = start_app(engine);
    let (_, device) = user_with_device(&app, "ada").await;
    for path in [REFRESH, LOGOUT] {
        for (name, value) in [
            ("x-unrelated", ""),
            ("origin", "null"),
            ("origin", "https://sub.app.example"),
            ("origin", "https://app.example:8443"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let request = app.anonymous().request("POST", path).header(name, value);
            let rejection = request.header("cookie", &device.cookies()).await;
            rejection.problem(403, "UNTRUSTED_ORIGIN");
        }
    }
    assert_eq!(counter(&app, &device.session), 0);
    assert!(!is_revoked(&app, &device.session));
    for path in [REFRESH, LOGOUT] {
        let request = app.anonymous().request("POST", path);
        let request = request.header("origin", ALLOWED_ORIGIN);
        request.header("cookie", &device.cookies()).await.ok();
    }
}
