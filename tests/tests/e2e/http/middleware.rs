//! Tests `X-Request-Id`, which every response has.

use std::collections::BTreeSet;

use e2e::{App, on_both_engines};

on_both_engines! {
    a_valid_request_id_is_echoed,
    an_invalid_request_id_is_replaced,
    a_request_without_an_id_gets_a_unique_id,
}

const REQUEST_ID: &str = "x-request-id";

async fn a_valid_request_id_is_echoed(app: App) {
    let caller = app.anonymous();
    let longest_id = "a".repeat(64);
    for id in [
        "1",
        "a-b_c.D9",
        "00000000-0000-4000-8000-000000000000",
        &longest_id,
    ] {
        for path in ["/healthz", "/api/tasks", "/api/nothing"] {
            let response = caller.get(path).header(REQUEST_ID, id).await;
            assert_eq!(response.header(REQUEST_ID), Some(id));
        }
    }
}

async fn an_invalid_request_id_is_replaced(app: App) {
    let caller = app.anonymous();
    let too_long_id = "a".repeat(65);
    for id in [
        "",
        "a b",
        "a\tb",
        "a;b",
        "a=b",
        "\"a\"",
        "<a>",
        "é",
        &too_long_id,
    ] {
        let response = caller.get("/healthz").header(REQUEST_ID, id).await;
        let replacement = response.header(REQUEST_ID).unwrap();
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        assert_ne!(replacement, id);
        assert!(
            !replacement.is_empty() && replacement.bytes().all(is_allowed),
            "{replacement}"
        );
    }
}

async fn a_request_without_an_id_gets_a_unique_id(app: App) {
    let caller = app.anonymous();
    let mut ids = BTreeSet::new();
    for _ in 0..20 {
        let response = caller.get("/healthz").await;
        ids.insert(response.header(REQUEST_ID).unwrap().to_owned());
    }
    assert_eq!(ids.len(), 20);
}
