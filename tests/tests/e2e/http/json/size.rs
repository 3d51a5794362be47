//! Tests the maximum size of a body, with and without chunked encoding.

use e2e::{App, on_both_engines};
use serde_json::json;

use super::{padded_body, request_head, send};

on_both_engines! {
    a_body_may_have_65536_bytes,
    a_chunked_body_may_have_65536_bytes,
    an_excessive_content_length_is_rejected_before_the_body_arrives,
}

const MAX_BODY_BYTES: usize = 64 * 1024;

async fn a_body_may_have_65536_bytes(app: App) {
    let ada = app.user("ada").await;
    for length in [MAX_BODY_BYTES - 1, MAX_BODY_BYTES] {
        ada.post("/api/tasks", padded_body(length)).await.created();
    }
    for path in ["/api/tasks", "/api/auth/login", "/api/auth/register"] {
        let rejection = ada.post(path, padded_body(MAX_BODY_BYTES + 1)).await;
        let problem = rejection.problem(413, "BODY_TOO_LARGE");
        assert_eq!(problem["detail"], "The body may have at most 65536 bytes");
    }
    let large_body = json!({ "email": ada.email(), "password": "p".repeat(1024 * 1024) });
    let rejection = app.anonymous().post("/api/auth/login", large_body).await;
    rejection.problem(413, "BODY_TOO_LARGE");
}

async fn a_chunked_body_may_have_65536_bytes(app: App) {
    let ada = app.user("ada").await;
    for (length, is_accepted) in [
        (MAX_BODY_BYTES - 1, true),
        (MAX_BODY_BYTES, true),
        (MAX_BODY_BYTES + 1, false),
    ] {
        let body = padded_body(length);
        let encoded_chunks = body.as_bytes().chunks(1000).map(|chunk| {
            let chunk_text = std::str::from_utf8(chunk).unwrap();
            format!("{:x}\r\n{chunk_text}\r\n", chunk.len())
        });
        let encoded_body = encoded_chunks.collect::<Vec<_>>().concat();
        let parts = [
            &request_head(&ada),
            "transfer-encoding: chunked\r\n\r\n",
            &encoded_body,
            "0\r\n\r\n",
        ];
        let (_, response) = send(&app, &parts).await;
        if is_accepted {
            response.created();
        } else {
            response.problem(413, "BODY_TOO_LARGE");
        }
    }
}

async fn an_excessive_content_length_is_rejected_before_the_body_arrives(app: App) {
    let ada = app.user("ada").await;
    for length in ["65537", "9223372036854775807", "18446744073709551615"] {
        let length_header = format!("content-length: {length}\r\n\r\n");
        let (_, response) = send(&app, &[&request_head(&ada), &length_header]).await;
        response.problem(413, "BODY_TOO_LARGE");
    }
}
