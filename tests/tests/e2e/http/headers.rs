//! Headers of every response: the request id, and the rules for caching.

use std::collections::BTreeSet;

use e2e::{App, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_plain_request_id_is_echoed,
    a_request_id_that_is_not_plain_is_replaced,
    a_request_without_an_id_gets_one_of_its_own,
    responses_with_tokens_must_not_be_stored,
    the_server_does_not_name_its_software,
}

const REQUEST_ID: &str = "x-request-id";

async fn a_plain_request_id_is_echoed(app: App) {
    let caller = app.anonymous();
    let longest = "a".repeat(64);
    for id in [
        "1",
        "a-b_c.D9",
        "00000000-0000-4000-8000-000000000000",
        &longest,
    ] {
        for path in ["/healthz", "/api/tasks", "/api/nothing"] {
            let response = caller.get(path).header(REQUEST_ID, id).await;
            assert_eq!(response.header(REQUEST_ID), Some(id));
        }
    }
}

async fn a_request_id_that_is_not_plain_is_replaced(app: App) {
    let caller = app.anonymous();
    let too_long = "a".repeat(65);
    for id in [
        "", "a b", "a\tb", "a;b", "a=b", "\"a\"", "<a>", "é", &too_long,
    ] {
        let response = caller.get("/healthz").header(REQUEST_ID, id).await;
        let given = response.header(REQUEST_ID).unwrap();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        assert_ne!(given, id);
        assert!(!given.is_empty() && given.bytes().all(plain), "{given}");
    }
}

async fn a_request_without_an_id_gets_one_of_its_own(app: App) {
    let caller = app.anonymous();
    let mut ids = BTreeSet::new();
    for _ in 0..20 {
        let response = caller.get("/healthz").await;
        ids.insert(response.header(REQUEST_ID).unwrap().to_owned());
    }
    assert_eq!(ids.len(), 20);
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
