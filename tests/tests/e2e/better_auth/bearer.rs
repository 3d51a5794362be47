//! Tests session tokens in the `Authorization` header.

use e2e::{App, Request, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;

on_both_engines! {
    raw_signed_and_encoded_tokens_are_accepted_like_the_cookie,
    a_valid_token_in_the_header_is_used_instead_of_the_cookie,
    with_two_authorization_headers_no_credential_is_accepted,
    a_malformed_token_is_ignored,
    neither_api_accepts_the_tokens_of_the_other_api,
}

/// Builds a request to `get-session` with this `Authorization` header.
fn get_session_request(app: &App, authorization: &str) -> Request {
    let request = app.anonymous().get(GET_SESSION);
    request.header("authorization", authorization)
}

async fn raw_signed_and_encoded_tokens_are_accepted_like_the_cookie(app: App) {
    let ada = sign_up(&app, "ada").await;
    for token in [
        &ada.token,
        &ada.signed_token(),
        &percent_encode(&ada.signed_token()),
    ] {
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let session_response = get_session_request(&app, &format!("{scheme} {token}"))
                .await
                .ok();
            assert_eq!(session_response["user"], ada.user, "{scheme} {token}");
        }
        let sessions = app.bearer(token).get(LIST_SESSIONS).await.ok();
        assert_eq!(sessions.as_array().unwrap().len(), 1);
    }
    let caller = app.bearer(&ada.token);
    let update_request = caller.post("/api/auth/update-user", json!({ "name": "Ada" }));
    let response = update_request.await.assert_status(200);
    assert_eq!(
        response.header("set-auth-token"),
        Some(&*ada.signed_token())
    );
    let sign_out_request = app.bearer(&ada.token).post("/api/auth/sign-out", json!({}));
    let response = sign_out_request.await.assert_status(200);
    assert_eq!(response.header("set-auth-token"), None);
    assert!(!ada.is_signed_in(&app).await);
}

async fn a_valid_token_in_the_header_is_used_instead_of_the_cookie(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let request = get_session_request(&app, &format!("Bearer {}", eve.token));
    let session_response = request.header("cookie", &ada.cookies).await.ok();
    assert_eq!(session_response["user"], eve.user);
    let request = get_session_request(&app, "Bearer junk").header("cookie", &ada.cookies);
    assert_eq!(request.await.ok()["user"], ada.user);
}

/// A proxy in front of the server may check only one of two `Authorization` headers, so the server must accept neither.
async fn with_two_authorization_headers_no_credential_is_accepted(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let (ada_header, eve_header) = (
        format!("Bearer {}", ada.token),
        format!("Bearer {}", eve.token),
    );
    for [first_header, second_header] in [
        [&*ada_header, &*eve_header],
        [&*ada_header, &*ada_header],
        [&*ada_header, "Bearer junk"],
        ["Bearer junk", &*ada_header],
        ["Basic x", "Basic x"],
    ] {
        let with_both_headers = |request: Request| {
            let request = request.header("authorization", first_header);
            request.header("authorization", second_header)
        };
        let response = with_both_headers(ada.get(&app, GET_SESSION)).await;
        assert!(response.header_values("set-cookie").is_empty());
        assert_eq!(
            response.ok(),
            Value::Null,
            "{first_header}, {second_header}"
        );
        let response = with_both_headers(app.anonymous().get(GET_SESSION)).await;
        assert_eq!(
            response.ok(),
            Value::Null,
            "{first_header}, {second_header}"
        );
        assert_error(
            &with_both_headers(ada.get(&app, LIST_SESSIONS)).await,
            UNAUTHORIZED,
        );
        let sign_out_request = with_both_headers(ada.post(&app, "/api/auth/sign-out", json!({})));
        assert_eq!(sign_out_request.await.status(), 200);
        assert!(ada.is_signed_in(&app).await && eve.is_signed_in(&app).await);
    }
}

async fn a_malformed_token_is_ignored(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let (ada_signed_token, eve_signed_token) = (ada.signed_token(), eve.signed_token());
    let (ada_token, ada_signature) = ada_signed_token.rsplit_once('.').unwrap();
    let (_, eve_signature) = eve_signed_token.rsplit_once('.').unwrap();
    for authorization in [
        format!("Basic {ada_token}"),
        format!("Bearer{ada_token}"),
        format!("Bearer {}", &ada_token[1..]),
        format!("Bearer {}", &ada_token[..95]),
        format!("Bearer {ada_token}0"),
        format!("Bearer {ada_token}.{eve_signature}"),
        format!("Bearer {ada_token}.{}", &ada_signature[..43]),
        format!("Bearer {ada_token}."),
        format!("Bearer {ada_signature}"),
        "Bearer ".to_owned(),
        "Bearer".to_owned(),
        "Bearer %".to_owned(),
        "é".to_owned(),
    ] {
        let response = get_session_request(&app, &authorization).await;
        assert!(response.header_values("set-cookie").is_empty());
        assert_eq!(response.ok(), Value::Null, "{authorization}");
    }
}

async fn neither_api_accepts_the_tokens_of_the_other_api(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = ada.get(&app, "/api/auth/token").await.ok();
    let access_token = body["token"].as_str().unwrap();
    assert_eq!(
        get_session_request(&app, &format!("Bearer {access_token}"))
            .await
            .ok(),
        Value::Null
    );
    for path in ["/api/auth/account", "/api/tasks", "/api/auth/session"] {
        app.bearer(access_token).get(path).await.ok();
        for token in [&ada.token, &ada.signed_token()] {
            let response = app.bearer(token).get(path).await;
            response.problem(401, "INVALID_TOKEN");
        }
    }
}
