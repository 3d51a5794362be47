//! Tests `GET /api/auth/token`.

use e2e::{App, Engine, on_both_engines};

use super::fixtures::*;

on_both_engines! {
    a_token_contains_the_configured_issuer_and_audience,
}

async fn a_token_contains_the_configured_issuer_and_audience(engine: Engine) {
    let app = App::on(engine)
        .set("auth-issuer", "better-auth")
        .set("auth-audience", "fastapi-backend")
        .start();
    let ada = sign_up(&app, "ada").await;
    let body = ada.get(&app, "/api/auth/token").await.ok();
    let token = body["token"].as_str().unwrap();
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
    validation.set_issuer(&["better-auth"]);
    validation.set_audience(&["fastapi-backend"]);
    validation.validate_exp = false;
    let key = jsonwebtoken::DecodingKey::from_secret(app.secret().as_bytes());
    let claims = jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation)
        .unwrap()
        .claims;
    assert_eq!(claims["sub"], ada.user["id"]);
    assert_eq!(claims["email"], "ada@example.com");
}
