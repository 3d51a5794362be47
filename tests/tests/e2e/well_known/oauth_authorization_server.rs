//! Tests `GET /.well-known/oauth-authorization-server`.

use auth_core::public_key::Algorithm;
use e2e::{App, Engine, on_both_engines};
use serde_json::{Value, json};

use super::{new_key, start_with_key};

on_both_engines! {
    the_metadata_name_the_issuer_and_the_keys,
    a_server_whose_issuer_is_not_its_url_has_no_metadata,
    a_server_without_keys_has_no_metadata,
}

const PATH: &str = "/.well-known/oauth-authorization-server";
const PUBLIC_URL: &str = "http://127.0.0.1:8080";

async fn the_metadata_name_the_issuer_and_the_keys(engine: Engine) {
    let options = App::on(engine).set("auth-issuer", PUBLIC_URL);
    let app = start_with_key(options, &new_key(Algorithm::EdDsa));
    let response = app.anonymous().get(PATH).await.assert_status(200);
    for (name, value) in [
        ("content-type", "application/json"),
        ("cache-control", "max-age=300"),
        ("access-control-allow-origin", "*"),
    ] {
        assert_eq!(response.header(name), Some(value));
    }
    let metadata: Value = serde_json::from_str(&response.text()).unwrap();
    let expected = json!({
        "issuer": PUBLIC_URL,
        "jwks_uri": "http://127.0.0.1:8080/.well-known/jwks.json",
        "scopes_supported": ["tasks:read", "tasks:write", "account:read", "account:write", "sessions"],
        "response_types_supported": [],
        "grant_types_supported": [],
        "service_documentation": "http://127.0.0.1:8080/docs/",
    });
    assert_eq!(metadata, expected);
    let tag = response.header("etag").unwrap();
    let request = app.anonymous().get(PATH).header("if-none-match", tag);
    assert_eq!(request.await.assert_status(304).text(), "");
    for path in ["/.well-known/jwks.json", "/docs/"] {
        let _response = app.anonymous().get(path).await.assert_status(200);
    }
}

async fn a_server_whose_issuer_is_not_its_url_has_no_metadata(engine: Engine) {
    for issuer in ["api-server", "https://auth.example.com"] {
        let options = App::on(engine).set("auth-issuer", issuer);
        let app = start_with_key(options, &new_key(Algorithm::EdDsa));
        let problem = app.anonymous().get(PATH).await.problem(404, "NOT_FOUND");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("AUTH_ISSUER"), "{detail}");
    }
}

async fn a_server_without_keys_has_no_metadata(engine: Engine) {
    let app = App::on(engine).set("auth-issuer", PUBLIC_URL).start();
    let problem = app.anonymous().get(PATH).await.problem(404, "NOT_FOUND");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("AUTH_SIGNING_KEY"), "{detail}");
}
