//! Tests the headers with which every response gives rules to browsers and caches.

use e2e::{App, Client, Engine, Request, Response, on_both_engines};
use serde_json::json;

use crate::auth::login::LOGIN;
use crate::sessions::fixtures::{LOGOUT, REFRESH, SESSION};

on_both_engines! {
    every_response_has_the_security_headers,
    only_a_server_with_an_https_public_url_sends_hsts,
    the_documentation_page_loads_under_its_own_content_security_policy,
    responses_with_tokens_must_not_be_stored,
    the_server_does_not_name_its_software,
}

/// The content security policy of every response except the web pages and the responses under `/docs`.
const NON_PAGE_CSP: &str = "default-src 'none'; frame-ancestors 'none'";
/// The value of `Strict-Transport-Security`: one year.
const HSTS: &str = "max-age=31536000";

/// Returns requests that lead to many different statuses, each with the expected status.
fn requests_with_statuses(app: &App, ada: &Client) -> Vec<(u16, Request)> {
    let anonymous_caller = app.anonymous();
    let cookie_request = anonymous_caller.request("DELETE", "/api/tasks/1");
    let cookie = format!("access_token={}", ada.token());
    vec![
        (200, anonymous_caller.get("/healthz")),
        (200, anonymous_caller.get("/readyz")),
        (200, anonymous_caller.get("/api/openapi.json")),
        (200, ada.get(SESSION)),
        (200, ada.request("HEAD", SESSION)),
        (200, anonymous_caller.post(LOGOUT, json!({}))),
        (201, ada.post("/api/tasks", json!({ "title": "t" }))),
        (400, anonymous_caller.post(LOGIN, "{")),
        (401, anonymous_caller.get(SESSION)),
        (401, anonymous_caller.post(REFRESH, json!({}))),
        (403, ada.get("/api/another-user/tasks")),
        (404, ada.get(&ada.task(&json!(4711)))),
        (404, anonymous_caller.get("/nothing")),
        (404, anonymous_caller.get("/%ff")),
        (405, anonymous_caller.request("TRACE", "/healthz")),
        (413, ada.post("/api/tasks", " ".repeat(70_000))),
        (415, ada.post("/api/tasks", "t".as_bytes())),
        (422, ada.post("/api/tasks", json!({}))),
        (403, cookie_request.header("cookie", &cookie)),
    ]
}

#[track_caller]
fn assert_security_headers(response: &Response, policy: &str, has_hsts: bool) {
    let header = |name| response.header(name);
    assert_eq!(
        header("x-content-type-options"),
        Some("nosniff"),
        "{response:?}"
    );
    assert_eq!(header("referrer-policy"), Some("no-referrer"));
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("content-security-policy"), Some(policy));
    let hsts = header("strict-transport-security");
    assert_eq!(hsts, has_hsts.then_some(HSTS));
}

async fn every_response_has_the_security_headers(app: App) {
    let ada = app.user("ada").await;
    for (status, request) in requests_with_statuses(&app, &ada) {
        let response = request.clone().await;
        assert_eq!(response.status(), status, "{request:?}");
        assert_security_headers(&response, NON_PAGE_CSP, false);
    }
    app.database().execute("DROP TABLE tasks");
    let internal_error = ada.get("/api/tasks").await.assert_status(500);
    assert_security_headers(&internal_error, NON_PAGE_CSP, false);
}

async fn only_a_server_with_an_https_public_url_sends_hsts(engine: Engine) {
    let public_url = "https://api.example";
    let app = App::on(engine).set("public-url", public_url).start();
    let ada = app.user("ada").await;
    for (_, request) in requests_with_statuses(&app, &ada) {
        assert_security_headers(&request.await, NON_PAGE_CSP, true);
    }
    let page = app.anonymous().get("/docs/").await;
    assert_eq!(page.header("strict-transport-security"), Some(HSTS));
    // The setting `PUBLIC_URL`, and no header of the caller, decides whether the server sends HSTS.
    let server_over_http = App::on(engine).start();
    let request = server_over_http.anonymous().get("/healthz");
    let response = request.header("x-forwarded-proto", "https").await;
    assert_security_headers(&response, NON_PAGE_CSP, false);
}

/// Returns the sources that a content security policy allows in one directive.
fn allowed_sources<'p>(policy: &'p str, directive_name: &str) -> Vec<&'p str> {
    let directives = policy.split(';').map(str::trim);
    let source_lists = directives
        .filter_map(|directive| directive.strip_prefix(directive_name)?.strip_prefix(' '));
    source_lists.flat_map(str::split_whitespace).collect()
}

async fn the_documentation_page_loads_under_its_own_content_security_policy(app: App) {
    let caller = app.anonymous();
    let page = caller.get("/docs/").await.assert_status(200);
    let policy = page.header("content-security-policy").unwrap().to_owned();
    assert_security_headers(&page, &policy, false);
    assert_ne!(policy, NON_PAGE_CSP);
    assert_eq!(allowed_sources(&policy, "default-src"), ["'none'"]);
    assert_eq!(allowed_sources(&policy, "script-src"), ["'self'"]);
    assert_eq!(allowed_sources(&policy, "frame-ancestors"), ["'none'"]);
    assert_eq!(allowed_sources(&policy, "connect-src"), ["'self'"]);

    // Every script must be a file of this server, because the policy blocks inline scripts.
    let html = page.text();
    let tags = html.split("<script").skip(1);
    let mut script_urls = Vec::new();
    for tag in tags {
        let (attributes, code) = tag.split_once('>').unwrap();
        let (_, source) = attributes.split_once("src=\"").unwrap();
        script_urls.push(source.split('"').next().unwrap().to_owned());
        assert!(code.trim_start().starts_with("</script>"), "{code}");
    }
    assert!(script_urls.len() >= 3, "{html}");
    assert!(!html.contains(" on") || !html.contains("onload="), "{html}");
    for script_url in &script_urls {
        let path = format!("/docs/{}", script_url.trim_start_matches("./"));
        let script_response = caller.get(&path).await.assert_status(200);
        let content_type = script_response.header("content-type").unwrap();
        // With `X-Content-Type-Options: nosniff`, browsers run a script only if its media type is JavaScript.
        assert!(
            content_type.contains("javascript"),
            "{path} is {content_type}"
        );
        assert_security_headers(&script_response, &policy, false);
    }
    for stylesheet in ["swagger-ui.css", "index.css"] {
        let stylesheet_response = caller
            .get(&format!("/docs/{stylesheet}"))
            .await
            .assert_status(200);
        let content_type = stylesheet_response.header("content-type").unwrap();
        assert!(content_type.contains("text/css"));
        let css = stylesheet_response.text();
        let url_references = css.split("url(").skip(1);
        for url_reference in url_references {
            let url = url_reference.trim_start_matches(['"', '\'']);
            assert!(url.starts_with("data:image/"), "{}", &url[..40]);
        }
        assert!(!css.contains("@font-face") && !css.contains("@import"));
    }
}

async fn responses_with_tokens_must_not_be_stored(app: App) {
    let caller = app.anonymous();
    let body = json!({ "email": "ada@example.com", "password": "correct horse" });
    for path in ["/api/auth/register", "/api/auth/login"] {
        let token_response = caller.post(path, body.clone()).await;
        assert_eq!(token_response.header("cache-control"), Some("no-store"));
        assert_eq!(
            token_response.header("x-content-type-options"),
            Some("nosniff")
        );
        assert!(token_response.text().contains("access_token"));
    }
}

async fn the_server_does_not_name_its_software(app: App) {
    let ada = app.user("ada").await;
    for path in ["/healthz", "/api/tasks", "/api/nothing", "/docs/"] {
        let response = ada.get(path).await;
        for name in ["server", "x-powered-by", "via"] {
            assert_eq!(response.header(name), None, "{path}");
        }
    }
}
