//! Tests the requests of a [`RemoteVerifier`], and the results for valid, invalid and missing responses.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use auth_core::remote::RemoteVerifier;
use auth_core::{Authority, Caller, Error, Refusal};
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::task::JoinSet;

use crate::server::{Server, json_response};

/// The body of a response that identifies the caller as the user `42`.
const ADA_RESPONSE_BODY: &str = r#"{"user":{"id":"42","email":"ada@example.com"},
    "session":{"id":"7","expiresAt":"2027-01-15T08:00:00.000Z"}}"#;

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let value = HeaderValue::from_str(value).unwrap();
        headers.append(HeaderName::from_static(name), value);
    }
    headers
}

async fn authenticate(
    verifier: &RemoteVerifier,
    fields: &[(&'static str, &str)],
) -> Result<Caller, Refusal> {
    let headers = headers(fields);
    Authority::from(verifier.clone())
        .authenticate(&headers)
        .await
}

async fn authenticate_with_token(verifier: &RemoteVerifier) -> Result<Caller, Refusal> {
    authenticate(verifier, &[("authorization", "Bearer a.b.c")]).await
}

/// Asserts that the result is a refusal with status 503. Returns the cause of the refusal.
fn unavailable_cause(result: Result<Caller, Refusal>) -> String {
    let refusal = result.unwrap_err();
    assert_eq!(
        (refusal.status(), refusal.code(), refusal.retry_after()),
        (503, "AUTHORITY_UNAVAILABLE", Some(1)),
        "{refusal}"
    );
    refusal.cause().unwrap().into_owned()
}

#[tokio::test]
async fn a_caller_that_the_server_identifies_is_accepted() {
    let server = Server::responding(json_response("200 OK", ADA_RESPONSE_BODY)).await;
    let verifier = RemoteVerifier::new(&server.url()).unwrap();
    let caller = authenticate_with_token(&verifier).await.unwrap();
    let (id, email) = ("42".to_owned(), "ada@example.com".to_owned());
    let mut expected = Caller::new(id, 1_800_000_000);
    (expected.email, expected.sid) = (Some(email), Some("7".to_owned()));
    assert_eq!(caller, expected);
    let [request_head] = &*server.request_heads() else {
        panic!("one request, not {:?}", server.request_heads());
    };
    assert!(request_head.starts_with("get /api/auth/session http/1.1\r\n"));
    assert!(request_head.contains("\r\nauthorization: bearer a.b.c\r\n"));
}

#[tokio::test]
async fn cookies_are_forwarded_only_without_an_authorization_header() {
    let server = Server::responding(json_response("200 OK", ADA_RESPONSE_BODY)).await;
    let verifier = RemoteVerifier::new(&server.url()).unwrap();
    let cookie = ("cookie", "a=1; access_token=x");
    let header_and_cookie = [
        cookie,
        ("authorization", "Bearer a.b.c"),
        ("x-user-id", "42"),
    ];
    authenticate(&verifier, &header_and_cookie).await.unwrap();
    authenticate(&verifier, &[cookie, ("cookie", "b=2")])
        .await
        .unwrap();
    let request_heads = server.request_heads();
    assert!(
        !request_heads.first().unwrap().contains("cookie")
            && !request_heads.first().unwrap().contains("x-user")
    );
    assert!(
        request_heads
            .last()
            .unwrap()
            .contains("a=1; access_token=x")
    );
    assert!(request_heads.last().unwrap().contains("b=2"));

    let bearer_only_verifier = verifier.with_bearer_only();
    let result = authenticate(&bearer_only_verifier, &[cookie]).await;
    assert_eq!(result, Err(Error::MissingCredentials.into()));
    assert_eq!(server.request_heads().len(), 2);
}

#[tokio::test]
async fn credentials_that_cannot_be_valid_are_rejected_without_a_request() {
    let server = Server::responding(json_response("200 OK", ADA_RESPONSE_BODY)).await;
    let verifier = RemoteVerifier::new(&server.url()).unwrap();
    let oversized_header = format!("Bearer {}", "a".repeat(8193));
    let oversized_cookies = format!("a={}", "b".repeat(16_383));
    for (fields, code) in [
        (&[] as &[_], "UNAUTHORIZED"),
        (&[("authorization", "Basic YTpi")], "INVALID_TOKEN"),
        (
            &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
            "INVALID_TOKEN",
        ),
        (
            &[("authorization", oversized_header.as_str())],
            "INVALID_TOKEN",
        ),
        (&[("cookie", oversized_cookies.as_str())], "INVALID_TOKEN"),
        (
            &[
                ("authorization", "Basic YTpi"),
                ("cookie", "access_token=x"),
            ],
            "INVALID_TOKEN",
        ),
    ] {
        let refusal = authenticate(&verifier, fields).await.unwrap_err();
        assert_eq!((refusal.status(), refusal.code()), (401, code));
    }
    assert_eq!(server.request_heads(), [] as [&str; 0]);
}

#[tokio::test]
async fn an_x_user_id_that_differs_from_the_caller_is_rejected() {
    let server = Server::responding(json_response("200 OK", ADA_RESPONSE_BODY)).await;
    let verifier = RemoteVerifier::new(&server.url()).unwrap();
    let fields = [("authorization", "Bearer a.b.c"), ("x-user-id", "43")];
    let result = authenticate(&verifier, &fields).await;
    assert_eq!(result, Err(Refusal::user_id_mismatch()));
}

#[tokio::test]
async fn a_401_of_the_server_is_relayed_with_code_and_detail() {
    for (code, detail) in [
        ("TOKEN_EXPIRED", "The token has expired"),
        ("TOKEN_REVOKED", "The session of the token has ended"),
        ("TOKEN_STALE", "The roles have changed"),
        ("INVALID_TOKEN", "The token signature does not match"),
    ] {
        let body = format!(r#"{{"status":401,"code":"{code}","detail":"{detail}"}}"#);
        let server = Server::responding(json_response("401 Unauthorized", &body)).await;
        let verifier = RemoteVerifier::new(&server.url()).unwrap();
        let refusal = authenticate_with_token(&verifier).await.unwrap_err();
        let status_code_and_detail = (refusal.status(), refusal.code(), &*refusal.detail());
        assert_eq!(status_code_and_detail, (401, code, detail));
    }
}

#[tokio::test]
async fn roles_scope_and_custom_claims_of_the_response_are_those_of_the_caller() {
    let body = ADA_RESPONSE_BODY
        .replace(
            r#""email":"#,
            r#""roles":["admin"],"claims":{"plan":"pro","sub":"43"},"email":"#,
        )
        .replace(r#""expiresAt":"#, r#""scope":"a b","expiresAt":"#);
    let server = Server::responding(json_response("200 OK", &body)).await;
    let verifier = RemoteVerifier::new(&server.url()).unwrap();
    let caller = authenticate_with_token(&verifier).await.unwrap();
    assert!(caller.has_role("admin") && !caller.has_role("editor"));
    assert!(caller.has_scope("b") && !caller.has_scope("c"));
    let custom: serde_json::Value = caller.custom().unwrap();
    assert_eq!(custom, serde_json::json!({ "plan": "pro" }));
}

#[tokio::test]
async fn a_response_without_roles_scope_and_custom_claims_has_none_of_them() {
    let server = Server::responding(json_response("200 OK", ADA_RESPONSE_BODY)).await;
    let verifier = RemoteVerifier::new(&server.url()).unwrap();
    let caller = authenticate_with_token(&verifier).await.unwrap();
    assert!(caller.roles.is_empty() && caller.scope.is_none());
    let refusal = caller.custom::<serde_json::Value>().unwrap_err();
    assert_eq!(refusal.status(), 500);
}

#[tokio::test]
async fn a_response_other_than_a_200_with_a_caller_or_a_401_with_a_code_becomes_a_503() {
    let oversized_body = format!("{}{}", ADA_RESPONSE_BODY, " ".repeat(1 << 20));
    let body_without_id = ADA_RESPONSE_BODY.replace("\"42\"", "\"\"");
    let body_without_expiry = ADA_RESPONSE_BODY.replace("2027-01-15T08:00:00.000Z", "soon");
    let body_with_invalid_role =
        ADA_RESPONSE_BODY.replace(r#""email":"#, r#""roles":["Admin"],"email":"#);
    let body_with_invalid_scope =
        ADA_RESPONSE_BODY.replace(r#""expiresAt":"#, r#""scope":"","expiresAt":"#);
    for (status, body) in [
        ("200 OK", body_with_invalid_role.as_str()),
        ("200 OK", body_with_invalid_scope.as_str()),
        ("200 OK", "{}"),
        ("200 OK", "null"),
        ("200 OK", "<html>"),
        ("200 OK", body_without_id.as_str()),
        ("200 OK", body_without_expiry.as_str()),
        ("200 OK", oversized_body.as_str()),
        ("401 Unauthorized", "<html>a proxy</html>"),
        ("204 No Content", ""),
        ("301 Moved Permanently", ADA_RESPONSE_BODY),
        ("403 Forbidden", ADA_RESPONSE_BODY),
        ("404 Not Found", ADA_RESPONSE_BODY),
        ("429 Too Many Requests", ADA_RESPONSE_BODY),
        ("500 Internal Server Error", ADA_RESPONSE_BODY),
        ("503 Service Unavailable", ADA_RESPONSE_BODY),
    ] {
        let server = Server::responding(json_response(status, body)).await;
        let verifier = RemoteVerifier::new(&server.url()).unwrap();
        unavailable_cause(authenticate_with_token(&verifier).await);
        assert_eq!(server.request_heads().len(), 1, "{status}: one request");
    }
    let server = Server::responding("not http at all\r\n\r\n").await;
    unavailable_cause(authenticate_with_token(&RemoteVerifier::new(&server.url()).unwrap()).await);
}

#[tokio::test]
async fn without_a_response_the_refusal_is_a_503_after_the_time_limit() {
    let server = Server::responding("").await;
    let time_limit = Duration::from_millis(50);
    let default_verifier = RemoteVerifier::new(&server.url()).unwrap();
    let verifier = default_verifier.with_timeout(time_limit).unwrap();
    let started_at = Instant::now();
    let cause = unavailable_cause(authenticate_with_token(&verifier).await);
    assert!(started_at.elapsed() >= time_limit);
    assert_eq!(cause, "no response within 50ms");
}

#[tokio::test]
async fn no_request_is_sent_right_after_a_refused_connection() {
    let local_addr_result = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let socket_address = local_addr_result.unwrap();
    let verifier = RemoteVerifier::new(&format!("http://{socket_address}")).unwrap();
    unavailable_cause(authenticate_with_token(&verifier).await);
    let server = TcpListener::bind(socket_address).unwrap();
    server.set_nonblocking(true).unwrap();
    let cause = unavailable_cause(authenticate_with_token(&verifier).await);
    assert!(cause.contains("less than half a second ago"), "{cause}");
    assert!(server.accept().is_err(), "no connection was opened");
}

#[tokio::test]
async fn no_more_than_the_allowed_number_of_requests_run_in_parallel() {
    let server = Server::responding("").await;
    let default_verifier = RemoteVerifier::new(&server.url()).unwrap();
    let verifier = default_verifier.with_connections(2).unwrap();
    // Sends one request more than the limits allow: 2 run (`with_connections`), and 1024 wait. The server never
    // responds, so only the rejected request ends before the time limit of 2 s.
    let mut requests = JoinSet::new();
    for _ in 0..1027 {
        let verifier_clone = verifier.clone();
        requests.spawn(async move { authenticate_with_token(&verifier_clone).await });
    }
    let cause = unavailable_cause(requests.join_next().await.unwrap().unwrap());
    assert_eq!(cause, "too many requests wait for the server");
    while server.request_heads().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert!(requests.try_join_next().is_none());
    assert_eq!(
        (server.connection_count(), server.request_heads().len()),
        (2, 2)
    );
}

#[tokio::test]
async fn consecutive_requests_use_one_connection() {
    let server = Server::responding(json_response("200 OK", ADA_RESPONSE_BODY)).await;
    let verifier = RemoteVerifier::new(&server.url()).unwrap();
    for _ in 0..20 {
        authenticate_with_token(&verifier).await.unwrap();
    }
    assert_eq!(
        (server.connection_count(), server.request_heads().len()),
        (1, 20)
    );
}

#[test]
fn settings_out_of_range_are_rejected() {
    for url in ["", "auth.example.com", "ftp://auth.example.com", "http://"] {
        assert!(RemoteVerifier::new(url).is_err(), "{url}");
    }
    let new_verifier = || RemoteVerifier::new("https://auth.example.com/base/").unwrap();
    let seconds = Duration::from_secs;
    for (time_limit, is_accepted) in [
        (seconds(0), false),
        (seconds(1), true),
        (seconds(30), true),
        (seconds(31), false),
    ] {
        assert_eq!(
            new_verifier().with_timeout(time_limit).is_ok(),
            is_accepted,
            "{time_limit:?}"
        );
    }
    for (connection_count, is_accepted) in [(0, false), (1, true), (1024, true), (1025, false)] {
        assert_eq!(
            new_verifier().with_connections(connection_count).is_ok(),
            is_accepted,
            "{connection_count}"
        );
    }
}
