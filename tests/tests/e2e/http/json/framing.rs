//! Tests bodies that arrive late or not in full, and bodies that contain another request.

use e2e::{App, Engine, on_both_engines};
use serde_json::json;

use super::{padded_body, request_head, send};

on_both_engines! {
    a_body_that_is_incomplete_at_the_timeout_is_408,
    a_truncated_body_is_not_treated_as_complete,
    the_body_of_a_rejected_request_is_not_parsed_as_a_request,
    a_request_with_ambiguous_or_invalid_length_headers_is_rejected,
}

async fn a_body_that_is_incomplete_at_the_timeout_is_408(engine: Engine) {
    let app = App::on(engine).set("body-timeout", "100ms").start();
    let ada = app.user("ada").await;
    for length_header in [
        "content-length: 20\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n",
    ] {
        for first_bytes in ["", "5\r\n{\"tit\r\n"] {
            let (mut connection, response) =
                send(&app, &[&request_head(&ada), length_header, first_bytes]).await;
            let problem = response.problem(408, "REQUEST_TIMEOUT");
            assert_eq!(problem["detail"], "The body did not arrive in time");
            // Bytes that arrive after the timeout are not parsed as a request.
            let health_request = "GET /healthz HTTP/1.1\r\nhost: e2e\r\n\r\n";
            connection.send(health_request.as_bytes()).await;
            assert!(connection.response().await.is_none());
        }
    }
    assert_eq!(ada.all_tasks().await, json!([]));
}

async fn a_truncated_body_is_not_treated_as_complete(app: App) {
    let ada = app.user("ada").await;
    let body = padded_body(30);
    for (length_header, sent_body) in [
        ("content-length: 31\r\n\r\n", body.clone()),
        (
            "transfer-encoding: chunked\r\n\r\n",
            format!("1e\r\n{body}\r\n"),
        ),
        (
            "transfer-encoding: chunked\r\n\r\n",
            format!("1e\r\n{body}\r\n0"),
        ),
    ] {
        let mut connection = app.connect().await;
        let parts = [&request_head(&ada), length_header, &sent_body];
        connection.send(parts.concat().as_bytes()).await;
        connection.close_sending_half().await;
        if let Some(response) = connection.response().await {
            assert_eq!(response.status(), 400, "{}", response.text());
        }
    }
    for chunks in [
        "zz\r\n{}\r\n0\r\n\r\n",
        "-1\r\n{}\r\n",
        "ffffffffffffffffff\r\n{}\r\n",
    ] {
        let parts = [
            &request_head(&ada),
            "transfer-encoding: chunked\r\n\r\n",
            chunks,
        ];
        let (_, response) = send(&app, &parts).await;
        response.problem(400, "INVALID_REQUEST");
    }
    assert_eq!(ada.all_tasks().await, json!([]));
}

async fn the_body_of_a_rejected_request_is_not_parsed_as_a_request(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let smuggled_request = format!(
        "DELETE {} HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer {}\r\n\r\n",
        ada.task(&ada.new_task("Buy milk").await["id"]),
        ada.token()
    );
    for path in [
        ada.tasks(),
        "/api/nothing".to_owned(),
        "/api/auth/session".to_owned(),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer {}\r\n\
             content-length: {}\r\n\r\n",
            eve.token(),
            smuggled_request.len()
        );
        let (mut connection, response) = send(&app, &[&head, &smuggled_request]).await;
        assert!(
            matches!(response.status(), 403..=405),
            "{}",
            response.text()
        );
        // If the server keeps the connection open, the next response must belong to `health_request`, not to the body.
        let health_request = "GET /healthz HTTP/1.1\r\nhost: e2e\r\nconnection: close\r\n\r\n";
        connection.send(health_request.as_bytes()).await;
        if let Some(response) = connection.response().await {
            assert_eq!(response.ok(), json!({ "status": "ok" }));
        }
    }
    assert_eq!(ada.all_tasks().await.as_array().unwrap().len(), 1);
}

async fn a_request_with_ambiguous_or_invalid_length_headers_is_rejected(app: App) {
    let ada = app.user("ada").await;
    let body = padded_body(30);
    for length_headers in [
        "content-length: 30\r\ncontent-length: 5",
        "content-length: 30\r\ntransfer-encoding: chunked",
        "content-length: +30",
        "content-length: -30",
        "content-length: 0x1e",
        "content-length: 30, 30",
        "transfer-encoding: identity, chunked, x",
    ] {
        let mut connection = app.connect().await;
        let parts = [&request_head(&ada), length_headers, "\r\n\r\n", &body];
        connection.send(parts.concat().as_bytes()).await;
        connection.close_sending_half().await;
        let response = connection.response().await;
        let status = response.map_or(400, |response| response.status());
        assert_eq!(status, 400, "{length_headers}");
    }
    assert_eq!(ada.all_tasks().await, json!([]));
}
