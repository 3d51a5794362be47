//! Tests `GET /.well-known/jwks.json` and its alias `GET /api/auth/jwks`.

use auth_core::public_key::{Algorithm, JwkSet, SigningKey};
use e2e::{App, Engine, on_both_engines};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk};
use serde_json::{Value, json};

use super::{new_key, start_with_key, start_with_keys};

on_both_engines! {
    every_key_is_published_once_and_the_signing_key_comes_first,
    a_published_key_has_no_private_member,
    the_document_has_a_tag_and_may_be_kept_for_five_minutes,
    pages_of_every_origin_may_read_the_document,
    a_key_is_published_before_anything_is_signed_with_it,
    without_keys_nothing_is_published,
    jsonwebtoken_verifies_tokens_with_the_document_alone,
}

const PATHS: [&str; 2] = ["/.well-known/jwks.json", "/api/auth/jwks"];

async fn published_keys(app: &App) -> Vec<Value> {
    let response = app.anonymous().get(PATHS[0]).await.assert_status(200);
    let document: Value = serde_json::from_str(&response.text()).unwrap();
    document["keys"].as_array().unwrap().clone()
}

fn jwk(key: &SigningKey) -> Value {
    serde_json::from_str(&key.public_key().to_jwk()).unwrap()
}

async fn every_key_is_published_once_and_the_signing_key_comes_first(engine: Engine) {
    let keys = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::EdDsa].map(new_key);
    let [signing_key, next_key, previous_key] = &keys;
    let verifying_keys = [next_key, signing_key, previous_key, next_key];
    let app = start_with_keys(App::on(engine), Some(signing_key), &verifying_keys);
    assert_eq!(published_keys(&app).await, keys.each_ref().map(jwk));
    for path in PATHS {
        let response = app.anonymous().get(path).await.assert_status(200);
        assert_eq!(response.header("content-type"), Some("application/json"));
        let set = JwkSet::parse(response.text().as_bytes()).unwrap();
        assert_eq!((set.keys().len(), set.skipped().len()), (3, 0), "{path}");
    }
}

async fn a_published_key_has_no_private_member(engine: Engine) {
    let keys = [Algorithm::EdDsa, Algorithm::Es256].map(new_key);
    let app = start_with_keys(App::on(engine), Some(&keys[0]), &[&keys[1]]);
    let published = published_keys(&app).await;
    for (key, (published, expected_members)) in keys.iter().zip(published.iter().zip([
        &["alg", "crv", "kid", "kty", "use", "x"][..],
        &["alg", "crv", "kid", "kty", "use", "x", "y"],
    ])) {
        let mut members: Vec<_> = published.as_object().unwrap().keys().collect();
        members.sort();
        assert_eq!(members, expected_members);
        assert_eq!(published["kid"], key.public_key().thumbprint());
        assert_eq!(published["alg"], key.algorithm().name());
        assert_eq!(published["use"], "sig");
    }
}

async fn the_document_has_a_tag_and_may_be_kept_for_five_minutes(engine: Engine) {
    let key = new_key(Algorithm::EdDsa);
    let app = start_with_key(App::on(engine), &key);
    let caller = app.anonymous();
    let response = caller.get(PATHS[0]).await.assert_status(200);
    let tag = response.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.len() > 40, "{tag}");
    for (known, status) in [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        (format!("\"other\", {tag}"), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
        ("other".to_owned(), 200),
        (String::new(), 200),
    ] {
        for path in PATHS {
            let request = caller.get(path).header("if-none-match", &known);
            let response = request.await.assert_status(status);
            assert_eq!(response.header("cache-control"), Some("max-age=300"));
            assert_eq!(response.header("etag"), Some(tag.as_str()));
            assert_eq!(response.text().is_empty(), status == 304, "{known}");
        }
    }
    let response = caller.request("HEAD", PATHS[0]).await.assert_status(200);
    assert_eq!(response.header("etag"), Some(tag.as_str()));
    let another_set = start_with_keys(App::on(engine), Some(&key), &[&new_key(Algorithm::EdDsa)]);
    let response = another_set.anonymous().get(PATHS[0]).await;
    assert_ne!(response.header("etag"), Some(tag.as_str()));
}

async fn pages_of_every_origin_may_read_the_document(engine: Engine) {
    let key = new_key(Algorithm::EdDsa);
    for allowed_origins in ["", "https://app.example"] {
        let options = App::on(engine).set("allowed-origins", allowed_origins);
        let app = start_with_key(options, &key);
        for origin in ["https://evil.example", "https://app.example", "null"] {
            let request = app.anonymous().get(PATHS[0]).header("origin", origin);
            let response = request.await.assert_status(200);
            let readable_by = response.header("access-control-allow-origin");
            let is_readable = readable_by.is_some_and(|value| value == "*" || value == origin);
            assert!(is_readable, "{allowed_origins} {origin}: {readable_by:?}");
        }
        let response = app.anonymous().get(PATHS[0]).await.assert_status(200);
        assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    }
}

async fn a_key_is_published_before_anything_is_signed_with_it(engine: Engine) {
    let key = new_key(Algorithm::EdDsa);
    let app = start_with_keys(App::on(engine), None, &[&key]);
    assert_eq!(published_keys(&app).await, [jwk(&key)]);
    let ada = app.user("ada").await;
    let header = decode_header(ada.token()).unwrap();
    assert_eq!(header.alg, jsonwebtoken::Algorithm::HS256);
}

async fn without_keys_nothing_is_published(app: App) {
    for path in PATHS {
        let problem = app.anonymous().get(path).await.problem(404, "NOT_FOUND");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("AUTH_SIGNING_KEY"), "{detail}");
    }
}

/// Verifies tokens as a service that knows only the document, the issuer and the audience.
async fn jsonwebtoken_verifies_tokens_with_the_document_alone(engine: Engine) {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let (key, other_key) = (new_key(algorithm), new_key(Algorithm::EdDsa));
        let app = start_with_keys(App::on(engine), Some(&key), &[&other_key]);
        let ada = app.user("ada").await;
        let response = app.anonymous().get(PATHS[0]).await;
        let set: jwk::JwkSet = serde_json::from_str(&response.text()).unwrap();
        let header = decode_header(ada.token()).unwrap();
        let jwk = set.find(&header.kid.unwrap()).unwrap();
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&["api-server"]);
        validation.set_audience(&["api"]);
        validation.validate_exp = false;
        let decoding_key = DecodingKey::from_jwk(jwk).unwrap();
        let token = decode::<Value>(ada.token(), &decoding_key, &validation).unwrap();
        assert_eq!(token.claims["sub"], json!(ada.id()));
        let wrong_key = DecodingKey::from_jwk(&set.keys[1]).unwrap();
        assert!(decode::<Value>(ada.token(), &wrong_key, &validation).is_err());
    }
}
