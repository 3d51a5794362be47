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

/// The content security policy of every response except pages.
const CSP_DATA: &str = "default-src 'none'; frame-ancestors 'none'";
/// `Strict-Transport-Security` for one year.
const HSTS: &str = "max-age=31536000";

/// Returns requests, each with the expected status of its response.
fn requests(app: &App, ada: &Client) -> Vec<(u16, Request)> {
    let anonymous = app.anonymous();
    let cookie_request = anonymous.request("DELETE", "/api/tasks/1");
    let cookie = format!("access_token={}", ada.token());
    vec![
        (200, anonymous.get("/healthz")),
        (200, anonymous.get("/readyz")),
        (200, anonymous.get("/api/openapi.json")),
        (200, ada.get(SESSION)),
        (200, ada.request("HEAD", SESSION)),
        (200, anonymous.post(LOGOUT, json!({}))),
        (201, ada.post("/api/tasks", json!({ "title": "t" }))),
        (400, anonymous.post(LOGIN, "{")),
        (401, anonymous.get(SESSION)),
        (401, anonymous.post(REFRESH, json!({}))),
        (403, ada.get("/api/another-user/tasks")),
        (404, ada.get(&ada.task(&json!(4711)))),
        (404, anonymous.get("/nothing")),
        (404, anonymous.get("/%ff")),
        (405, anonymous.request("TRACE", "/healthz")),
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
    for (status, request) in requests(&app, &ada) {
        let response = request.clone().await;
        assert_eq!(response.status(), status, "{request:?}");
        assert_security_headers(&response, CSP_DATA, false);
    }
    app.database().execute("DROP TABLE tasks");
    let internal_error = ada.get("/api/tasks").await.assert_status(500);
    assert_security_headers(&internal_error, CSP_DATA, false);
}

async fn only_a_server_with_an_https_public_url_sends_hsts(engine: Engine) {
    let public_url = "https://api.example";
    let app = App::on(engine).set("public-url", public_url).start();
    let ada = app.user("ada").await;
    for (_, request) in requests(&app, &ada) {
        assert_security_headers(&request.await, CSP_DATA, true);
    }
    let page = app.anonymous().get("/docs/").await;
    assert_eq!(page.header("strict-transport-security"), Some(HSTS));
    // Only the setting `PUBLIC_URL` decides, not a header of the caller.
    let server_over_http = App::on(engine).start();
    let response = server_over_http.anonymous().get("/healthz");
    let response = response.header("x-forwarded-proto", "https").await;
    assert_security_headers(&response, CSP_DATA, false);
}

/// Returns the sources that a content security policy allows in one directive.
fn allowed_sources<'p>(policy: &'p str, directive_name: &str) -> Vec<&'p str> {
    let directives = policy.split(';').map(str::trim);
    let named_directives = directives
        .filter_map(|directive| directive.strip_prefix(directive_name)?.strip_prefix(' '));
    named_directives.flat_map(str::split_whitespace).collect()
}

async fn the_documentation_page_loads_under_its_own_content_security_policy(app: App) {
    let caller = app.anonymous();
    let page = caller.get("/docs/").await.assert_status(200);
    let policy = page.header("content-security-policy").unwrap().to_owned();
    assert_security_headers(&page, &policy, false);
    assert_ne!(policy, CSP_DATA);
    assert_eq!(allowed_sources(&policy, "default-src"), ["'none'"]);
    assert_eq!(allowed_sources(&policy, "script-src"), ["'self'"]);
    assert_eq!(allowed_sources(&policy, "frame-ancestors"), ["'none'"]);
    assert_eq!(allowed_sources(&policy, "connect-src"), ["'self'"]);

    // Every script must be a file of this server, because the policy blocks inline scripts.
    let html = page.text();
    let tags = html.split("<script").skip(1);
    let mut scripts = Vec::new();
    for tag in tags {
        let (attributes, rest) = tag.split_once('>').unwrap();
        let (_, source) = attributes.split_once("src=\"").unwrap();
        scripts.push(source.split('"').next().unwrap().to_owned());
        assert!(rest.trim_start().starts_with("</script>"), "{rest}");
    }
    assert!(scripts.len() >= 3, "{html}");
    assert!(!html.contains(" on") || !html.contains("onload="), "{html}");
    for script in &scripts {
        let path = format!("/docs/{}", script.trim_start_matches("./"));
        let file = caller.get(&path).await.assert_status(200);
        let content_type = file.header("content-type").unwrap();
        // With `X-Content-Type-Options: nosniff`, browsers run a script only if its type is right.
        assert!(
            content_type.contains("javascript"),
            "{path} is {content_type}"
        );
        assert_security_headers(&file, &policy, false);
    }
    for stylesheet in ["swagger-ui.css", "index.css"] {
        let file = caller
            .get(&format!("/docs/{stylesheet}"))
            .await
            .assert_status(200);
        assert!(file.header("content-type").unwrap().contains("text/css"));
        let text = file.text();
        let links = text.split("url(").skip(1);
        for link in links {
            let link = link.trim_start_matches(['"', '\'']);
            assert!(link.starts_with("data:image/"), "{}", &link[..40]);
        }
        assert!(!text.contains("@font-face") && !text.contains("@import"));
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
