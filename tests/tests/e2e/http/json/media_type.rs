//! Tests which media types and encodings of a body are accepted.

use e2e::{App, on_both_engines};

use super::padded_body;

on_both_engines! {
    every_spelling_of_the_json_media_type_is_accepted,
    any_other_media_type_is_415,
}

async fn every_spelling_of_the_json_media_type_is_accepted(app: App) {
    let ada = app.user("ada").await;
    let body = padded_body(100);
    for media_type in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "application/json; charset=\"utf-8\"",
        "application/json ;  charset=utf-8 ",
        "application/json;",
    ] {
        let request = ada.post("/api/tasks", body.as_bytes());
        request.header("content-type", media_type).await.created();
    }
}

async fn any_other_media_type_is_415(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let path = ada.task(&task["id"]);
    let body = padded_body(100);
    let detail = "Send the body as Content-Type: application/json, without Content-Encoding";
    for request in [
        app.anonymous().post("/api/auth/register", body.as_bytes()),
        app.anonymous().post("/api/auth/login", body.as_bytes()),
        ada.patch("/api/auth/account", body.as_bytes()),
        ada.post("/api/tasks", body.as_bytes()),
        ada.put(&path, body.as_bytes()),
        ada.patch(&path, body.as_bytes()),
    ] {
        let problem = request.clone().await.problem(415, "UNSUPPORTED_MEDIA_TYPE");
        assert_eq!(problem["detail"], detail);
        for media_type in [
            "",
            "text/plain",
            "text/html",
            "text/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/xml",
            "application/jsonp",
            "application/json-patch+json",
            "application/vnd.api+json",
            "application/json; charset=latin1",
            "application/json; charset=utf-16",
            "application/json; boundary=x",
            "application/json, text/plain",
            "json",
            "*/*",
        ] {
            let rejection = request.clone().header("content-type", media_type).await;
            let problem = rejection.problem(415, "UNSUPPORTED_MEDIA_TYPE");
            assert_eq!(problem["detail"], detail);
        }
        let json_request = request.header("content-type", "application/json");
        let request_with_two_headers = json_request
            .clone()
            .header("content-type", "application/json");
        let rejection = request_with_two_headers.await;
        rejection.problem(415, "UNSUPPORTED_MEDIA_TYPE");
        for encoding in ["gzip", "br", "deflate", "identity", ""] {
            let rejection = json_request
                .clone()
                .header("content-encoding", encoding)
                .await;
            rejection.problem(415, "UNSUPPORTED_MEDIA_TYPE");
        }
    }
}
