//! Tests a [`RemoteKeySet`] in a service: its settings, and the responses to requests.

use auth_core::public_key::{Algorithm, KeySet, SigningKey};
use auth_core::remote::RemoteKeySet;
use auth_core::{Authority, Error, Subject, TokenIssuer, TokenVerifier};
use axum::http::{HeaderMap, HeaderValue};
use std::time::{Duration, SystemTime};

use crate::server::{Server, json_response};

const ISSUER: &str = "https://auth.example.com";

fn jwks(key: &SigningKey) -> String {
    KeySet::new([key.public_key().clone()]).unwrap().to_jwks()
}

fn authorization(key: &SigningKey) -> HeaderMap {
    let lifetime = Duration::from_secs(900);
    let issuer = TokenIssuer::new(key.clone(), ISSUER, "api", lifetime).unwrap();
    let subject = Subject {
        id: "42",
        email: "ada@example.com",
        email_verified: None,
        session_id: "7",
    };
    let token = issuer.issue(&subject, SystemTime::now()).unwrap().token;
    let value = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
    HeaderMap::from_iter([(axum::http::header::AUTHORIZATION, value)])
}

fn authority(keys: RemoteKeySet) -> Authority {
    TokenVerifier::new(keys, ISSUER, "api").unwrap().into()
}

#[tokio::test]
async fn a_service_verifies_with_the_keys_at_the_url() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let key = SigningKey::generate(algorithm).unwrap();
        let server = Server::responding(json_response("200 OK", &jwks(&key))).await;
        let keys = RemoteKeySet::start(&format!("{}/jwks.json", server.url())).unwrap();
        // The first request of a client may come before the first response with keys.
        let caller = authority(keys.clone())
            .authenticate(&authorization(&key))
            .await
            .unwrap();
        assert_eq!(caller.sub, "42");
        let [request_head] = &*server.request_heads() else {
            panic!("one request, not {:?}", server.request_heads());
        };
        assert!(request_head.starts_with("get /jwks.json http/1.1\r\n"));
        assert!(!request_head.contains("if-none-match") && !request_head.contains("authorization"));
        assert_eq!(keys.keys().unwrap().keys(), [key.public_key().clone()]);
        assert!(keys.age().unwrap() < Duration::from_secs(60));
        assert_eq!((keys.last_error(), keys.skipped()), (None, Vec::new()));
    }
}

#[tokio::test]
async fn a_token_of_another_key_is_rejected_without_a_second_request() {
    let (key, other_key) = (
        SigningKey::generate(Algorithm::EdDsa).unwrap(),
        SigningKey::generate(Algorithm::EdDsa).unwrap(),
    );
    let server = Server::responding(json_response("200 OK", &jwks(&key))).await;
    let keys = RemoteKeySet::start(&server.url()).unwrap();
    keys.wait_until_loaded().await;
    let authority = authority(keys);
    for _ in 0..100 {
        let result = authority.authenticate(&authorization(&other_key)).await;
        assert_eq!(result, Err(Error::UnknownKey.into()));
    }
    assert_eq!(server.request_heads().len(), 1);
}

#[tokio::test]
async fn without_keys_every_token_is_a_503() {
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    for (status, body) in [
        ("500 Internal Server Error", "{}"),
        ("200 OK", "<html>"),
        ("200 OK", r#"{"keys":[]}"#),
    ] {
        let server = Server::responding(json_response(status, body)).await;
        let keys = RemoteKeySet::start(&server.url()).unwrap();
        let refusal = authority(keys.clone())
            .authenticate(&authorization(&key))
            .await
            .unwrap_err();
        assert_eq!(
            (refusal.status(), refusal.code(), refusal.retry_after()),
            (503, "AUTHORITY_UNAVAILABLE", Some(1))
        );
        assert_eq!(refusal.www_authenticate(), None);
        assert!(keys.last_error().is_some());
        assert_eq!(keys.keys(), None);
    }
}

#[tokio::test]
async fn malformed_credentials_are_a_401_even_without_keys() {
    let server = Server::responding("").await;
    let authority = authority(RemoteKeySet::start(&server.url()).unwrap());
    for value in ["Bearer a.b.c", "Basic YTpi"] {
        let value = HeaderValue::from_static(value);
        let headers = HeaderMap::from_iter([(axum::http::header::AUTHORIZATION, value)]);
        let refusal = authority.authenticate(&headers).await.unwrap_err();
        assert_eq!((refusal.status(), refusal.code()), (401, "INVALID_TOKEN"));
    }
}

#[tokio::test]
async fn only_tls_or_this_machine_is_accepted() {
    for url in [
        "",
        "auth.example.com",
        "http://auth.example.com/jwks",
        "ftp://127.0.0.1/jwks",
        "file:///jwks",
    ] {
        let error = RemoteKeySet::start(url).unwrap_err();
        assert!(error.to_string().contains("https://"), "{error}");
        assert!(RemoteKeySet::discover(url).is_err(), "{url}");
    }
    assert!(RemoteKeySet::start_without_tls("http://auth.example.com/jwks").is_ok());
    assert!(RemoteKeySet::start_without_tls("ftp://auth.example.com/jwks").is_err());
}

#[test]
fn starting_without_a_runtime_is_an_error() {
    let error = RemoteKeySet::start("http://127.0.0.1:9").unwrap_err();
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}
