//! Tests that the metrics and the API are on different addresses.

use e2e::{App, Engine, on_both_engines};

use super::options;

on_both_engines! {
    the_metrics_are_on_their_own_address_and_nothing_else_is,
    the_api_does_not_serve_the_metrics,
    an_address_in_use_is_reported_with_the_setting,
    without_the_setting_the_metrics_have_no_address,
}

async fn the_metrics_are_on_their_own_address_and_nothing_else_is(engine: Engine) {
    let app = options(engine).start();
    let ada = app.user("ada").await;
    let prometheus = app.metrics_caller();
    let response = prometheus.get("/metrics?name=x").await;
    let content_type = response.header("content-type").map(ToOwned::to_owned);
    assert_eq!(
        content_type.as_deref(),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let text = response.assert_status(200).text();
    assert!(text.starts_with("# HELP api_server_"), "{text}");
    for path in [
        "/",
        "/healthz",
        "/readyz",
        "/api/auth/session",
        "/api/openapi.json",
        "/metrics/",
    ] {
        let bearer = format!("Bearer {}", ada.token());
        let response = prometheus.get(path).header("authorization", &bearer).await;
        assert_eq!(
            (response.status(), response.code().as_str()),
            (404, "NOT_FOUND"),
            "{path}"
        );
    }
    let response = prometheus.post("/metrics", "{}").await;
    assert_eq!(response.header("allow"), Some("GET, HEAD"));
    assert_eq!(response.status(), 405);
}

async fn the_api_does_not_serve_the_metrics(engine: Engine) {
    let app = options(engine).start();
    let ada = app.user("ada").await;
    for caller in [&app.anonymous(), &ada] {
        caller.get("/metrics").await.problem(404, "NOT_FOUND");
    }
}

async fn an_address_in_use_is_reported_with_the_setting(engine: Engine) {
    let app = options(engine).start();
    let address = app.metrics_addr().unwrap().to_string();
    let result = App::on(engine).set("metrics-addr", &address).try_start();
    let error = result.err().expect("an address in use").to_string();
    assert!(
        error.contains("METRICS_ADDR") && error.contains(&address),
        "{error}"
    );
}

async fn without_the_setting_the_metrics_have_no_address(engine: Engine) {
    let app = App::on(engine).set("metrics-addr", " ").start();
    assert_eq!(app.metrics_addr(), None);
    app.user("ada").await.get("/api/auth/session").await.ok();
}
