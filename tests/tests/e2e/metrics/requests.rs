//! Tests how requests are counted, and that the labels stay few whatever callers send.

use e2e::{App, Connection, Engine, Metrics, on_both_engines};
use serde_json::json;

use super::options;
use crate::sessions::fixtures::SESSION;

on_both_engines! {
    a_request_is_counted_once_by_route_method_and_status,
    the_aliases_of_a_path_share_one_route,
    every_kind_of_response_is_counted,
    ten_thousand_random_paths_add_no_label,
    the_duration_of_a_request_is_recorded,
}

/// Returns the number of requests with these labels.
fn request_count(metrics: &Metrics, route: &str, method: &str, status: u16) -> i64 {
    let labels = format!(r#"route="{route}",method="{method}",status="{status}""#);
    let series = format!("http_requests_total{{{labels}}}");
    metrics.find(&series).unwrap_or_default()
}

fn total(metrics: &Metrics) -> i64 {
    let series = metrics.series("api_server_http_requests_total");
    series.iter().map(|series| metrics.count(series)).sum()
}

async fn a_request_is_counted_once_by_route_method_and_status(engine: Engine) {
    let app = options(engine).start();
    let ada = app.user("ada").await;
    let before = app.metrics().await;
    assert_eq!(request_count(&before, "/api/auth/register", "POST", 201), 1);
    ada.get(SESSION).await.ok();
    let after = app.metrics().await;
    assert_eq!(request_count(&after, SESSION, "GET", 200), 1);
    assert_eq!(total(&after), total(&before) + 1);
    app.anonymous()
        .get(SESSION)
        .await
        .problem(401, "UNAUTHORIZED");
    let after = app.metrics().await;
    assert_eq!(request_count(&after, SESSION, "GET", 401), 1);
    assert_eq!(total(&after), total(&before) + 2);
}

async fn the_aliases_of_a_path_share_one_route(engine: Engine) {
    let app = options(engine).start();
    let ada = app.user("ada").await;
    let task = ada.new_task("read the metrics").await;
    let id = &task["id"];
    for path in [
        format!("/api/tasks/{id}"),
        format!("/api/v1/tasks/{id}"),
        ada.task(id),
    ] {
        ada.get(&path).await.ok();
    }
    let metrics = app.metrics().await;
    assert_eq!(
        request_count(&metrics, "/api/tasks/{task_id}", "GET", 200),
        3
    );
    let series = metrics.series("api_server_http");
    assert!(
        !series.iter().any(|series| series.contains(ada.id())),
        "{series:?}"
    );
}

async fn every_kind_of_response_is_counted(engine: Engine) {
    let app = options(engine)
        .set("allowed-origins", "https://app.example.com")
        .start();
    let caller = app.anonymous();
    let _preflight = caller
        .request("OPTIONS", SESSION)
        .header("origin", "https://app.example.com")
        .header("access-control-request-method", "GET")
        .await;
    for (method, path) in [
        ("DELETE", SESSION),
        ("HEAD", "/healthz"),
        ("BREW", "/healthz"),
        ("GET", "/nothing/here"),
        ("GET", "/sign-up"),
        ("POST", "/api/auth/sign-in/email"),
        ("POST", "/api/auth/sign-in/nothing"),
        ("GET", "/docs/index.html"),
    ] {
        let _response = caller.request(method, path).await;
    }
    let metrics = app.metrics().await;
    for (route, method, status) in [
        (SESSION, "OPTIONS", 200),
        (SESSION, "DELETE", 405),
        ("/healthz", "HEAD", 200),
        ("/healthz", "other", 405),
        ("other", "GET", 404),
        ("/", "GET", 200),
        ("/api/auth/sign-in/email", "POST", 400),
        ("other", "POST", 404),
        ("/docs/{file}", "GET", 200),
    ] {
        let count = request_count(&metrics, route, method, status);
        assert_eq!(count, 1, "{route} {method} {status}: {metrics:#?}");
    }
    assert_eq!(total(&metrics), 9);
}

/// Sends requests on one connection, and asserts that each response is an error.
async fn send_all(app: &App, requests: impl Iterator<Item = (String, String)>) {
    let mut connection: Connection = app.connect().await;
    for (method, path) in requests {
        let text = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        connection.send(text.as_bytes()).await;
        let response = connection.response().await;
        assert!(
            response.is_some_and(|response| response.status() >= 400),
            "{method} {path}"
        );
    }
}

async fn ten_thousand_random_paths_add_no_label(engine: Engine) {
    let app = options(engine).start();
    let prefixes = [
        "",
        "/api",
        "/api/auth",
        "/api/auth/reset-password",
        "/api/x/tasks",
        "/docs",
        "/assets",
    ];
    let requests = |numbers: std::ops::Range<usize>| {
        numbers.map(move |number| {
            let prefix = prefixes[number % prefixes.len()];
            let method = ["GET", "POST", "PUT"][number % 3].to_owned();
            (
                method,
                format!("{prefix}/unknown-{number}/{number:x}?q={number}"),
            )
        })
    };
    send_all(&app, requests(0..100)).await;
    let before = app.metrics().await;
    send_all(&app, requests(100..10_100)).await;
    let unknown_methods = (0..100).map(|number| (format!("M{number}"), format!("/{number}")));
    send_all(&app, unknown_methods).await;
    let after = app.metrics().await;
    assert_eq!(total(&after), 10_200);
    let series = |metrics: &Metrics| metrics.series("").len();
    // All unknown methods have one series of requests, and the 17 series of one histogram.
    assert_eq!(series(&after), series(&before) + 18, "{after:#?}");
    assert!(series(&after) < 400, "{}", series(&after));
}

async fn the_duration_of_a_request_is_recorded(engine: Engine) {
    let app = options(engine).set("bcrypt-cost", "8").start();
    let ada = app.user("ada").await;
    let body = json!({ "email": ada.email(), "password": ada.password() });
    app.anonymous().post("/api/auth/login", body).await.ok();
    let metrics = app.metrics().await;
    let labels = r#"route="/api/auth/login",method="POST""#;
    let series = |suffix: &str| format!("http_request_duration_seconds_{suffix}{{{labels}}}");
    assert_eq!(metrics.count(&series("count")), 1);
    // A hash of cost 8 takes several milliseconds on any machine.
    let sum = metrics.value(&series("sum"));
    assert!((0.001..60.0).contains(&sum), "{sum}");
    assert_eq!(metrics.count("password_hash_wait_seconds_count"), 2);
}
