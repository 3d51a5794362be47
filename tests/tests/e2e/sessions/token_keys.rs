//! Tests access tokens that a private key signs, and the change from the secret to a key and from key to key.

use auth_core::Error;
use auth_core::public_key::{Algorithm, SigningKey};
use e2e::{App, Client, Engine, Issuer, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::{SESSION, login, refresh, refreshed, user_with_device};
use crate::well_known::{new_key, start_with_key, start_with_keys, verify_with_public_key};

on_both_engines! {
    the_key_signs_the_access_tokens_of_every_api,
    a_repeated_refresh_returns_the_same_tokens,
    the_secret_still_authenticates_refresh_tokens,
    tokens_of_the_secret_stay_valid_after_the_change_to_a_key,
    a_key_is_accepted_before_and_after_it_signs,
    a_key_that_the_server_does_not_know_is_rejected,
    the_key_signs_the_tokens_of_services,
    a_token_whose_secret_is_a_public_key_is_rejected,
}

/// Returns the header of a token.
fn header(token: &str) -> Value {
    use base64::Engine as _;
    let part = token.split('.').next().unwrap();
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part);
    serde_json::from_slice(&json.unwrap()).unwrap()
}

fn assert_signed_with(app: &App, key: &SigningKey, token: &str) {
    let claims = verify_with_public_key(app, key, "api", token);
    assert!(claims.is_ok(), "{claims:?}");
    let expected = json!({
        "typ": "at+jwt",
        "alg": key.algorithm().name(),
        "kid": key.public_key().thumbprint(),
    });
    assert_eq!(header(token), expected);
}

async fn accepts(app: &App, token: &str) -> bool {
    let response = app.bearer(token).get(SESSION).await;
    if response.status() == 200 {
        return true;
    }
    response.problem(401, "INVALID_TOKEN");
    false
}

async fn the_key_signs_the_access_tokens_of_every_api(engine: Engine) {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let key = new_key(algorithm);
        let app = start_with_key(App::on(engine), &key);
        let (ada, device) = user_with_device(&app, "ada").await;
        let new_device = refreshed(&app, &device).await;
        let body = json!({ "email": ada.email(), "password": ada.password() });
        let sign_in = app.anonymous().post("/api/auth/sign-in/email", body).await;
        let session_token = sign_in.ok()["token"].as_str().unwrap().to_owned();
        let caller = app.bearer(session_token);
        let better_auth_token = caller.get("/api/auth/token").await.ok();
        let better_auth_token = better_auth_token["token"].as_str().unwrap();
        for token in [&device.access, &new_device.access, better_auth_token] {
            assert_signed_with(&app, &key, token);
            assert!(accepts(&app, token).await);
            app.bearer(token).get("/api/tasks").await.ok();
        }
    }
}

async fn a_repeated_refresh_returns_the_same_tokens(engine: Engine) {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let app = start_with_key(App::on(engine), &new_key(algorithm));
        let (_, device) = user_with_device(&app, "ada").await;
        let first = refresh(&app, &device.refresh).await.ok();
        let second = refresh(&app, &device.refresh).await.ok();
        assert_eq!(first, second);
    }
}

async fn the_secret_still_authenticates_refresh_tokens(engine: Engine) {
    let app = start_with_key(App::on(engine), &new_key(Algorithm::EdDsa));
    let (_, device) = user_with_device(&app, "ada").await;
    let without_key = app.another_process().start();
    refreshed(&without_key, &device).await;
}

async fn tokens_of_the_secret_stay_valid_after_the_change_to_a_key(app: App) {
    let key = new_key(Algorithm::EdDsa);
    let ada = app.user("ada").await;
    assert_eq!(header(ada.token())["alg"], "HS256");
    let changed = start_with_key(app.another_process(), &key);
    assert!(accepts(&changed, ada.token()).await);
    let device = login(&changed, &ada).await;
    assert_signed_with(&changed, &key, &device.access);
    assert!(accepts(&changed, &device.access).await);
    app.clock.advance(std::time::Duration::from_secs(906));
    let response = changed.bearer(ada.token()).get(SESSION).await;
    response.problem(401, "TOKEN_EXPIRED");
}

async fn a_key_is_accepted_before_and_after_it_signs(app: App) {
    let keys = [Algorithm::EdDsa, Algorithm::Es256].map(new_key);
    let [old_key, new_key] = &keys;
    let ada = app.user("ada").await;
    let steps = [
        start_with_keys(app.another_process(), None, &[old_key]),
        start_with_keys(app.another_process(), Some(old_key), &[]),
        start_with_keys(app.another_process(), Some(old_key), &[new_key]),
        start_with_keys(app.another_process(), Some(new_key), &[old_key]),
        start_with_keys(app.another_process(), Some(new_key), &[]),
    ];
    let devices = [
        login(&steps[0], &ada).await,
        login(&steps[1], &ada).await,
        login(&steps[2], &ada).await,
        login(&steps[3], &ada).await,
        login(&steps[4], &ada).await,
    ];
    for (index, server) in steps.iter().enumerate() {
        let neighbours = index.saturating_sub(1)..=(index + 1).min(4);
        for device in &devices[neighbours] {
            assert!(accepts(server, &device.access).await, "{index}");
        }
    }
    assert!(!accepts(&steps[4], &devices[1].access).await, "withdrawn");
    assert!(
        !accepts(&steps[1], &devices[4].access).await,
        "not known yet"
    );
}

async fn a_key_that_the_server_does_not_know_is_rejected(engine: Engine) {
    let app = start_with_key(App::on(engine), &new_key(Algorithm::EdDsa));
    let other = start_with_key(app.another_process(), &new_key(Algorithm::EdDsa));
    let without_key = app.another_process().start();
    let ada = app.user("ada").await;
    assert!(accepts(&app, ada.token()).await);
    assert!(!accepts(&other, ada.token()).await);
    assert!(!accepts(&without_key, ada.token()).await);
}

async fn token_for_service(caller: &Client, audience: &str) -> String {
    let body = json!({ "audience": audience });
    let response = caller.post("/api/auth/token", body).await.ok();
    response["access_token"].as_str().unwrap().to_owned()
}

async fn the_key_signs_the_tokens_of_services(engine: Engine) {
    let key = new_key(Algorithm::EdDsa);
    let options = App::on(engine).set("token-audiences", "reports,billing");
    let app = start_with_key(options, &key);
    let ada = app.user("ada").await;
    let token = token_for_service(&ada, "reports").await;
    let claims = verify_with_public_key(&app, &key, "reports", &token).unwrap();
    assert_eq!(claims.sub, ada.id());
    for audience in ["billing", "api"] {
        let result = verify_with_public_key(&app, &key, audience, &token);
        assert_eq!(result, Err(Error::InvalidClaim("aud")));
    }
    assert!(!accepts(&app, &token).await);
}

async fn a_token_whose_secret_is_a_public_key_is_rejected(engine: Engine) {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let key = new_key(algorithm);
        let app = start_with_key(App::on(engine), &key);
        let public_key = key.public_key();
        let jwk: Value = serde_json::from_str(&public_key.to_jwk()).unwrap();
        for secret in [
            public_key.to_pem().unwrap(),
            public_key.to_pem().unwrap().trim_end().to_owned(),
            public_key.to_jwk(),
            public_key.thumbprint().to_owned(),
            jwk["x"].as_str().unwrap().to_owned(),
        ] {
            let mut issuer = Issuer::of(&app);
            issuer.secret = secret;
            let forged_token = issuer.issue("42", "ada@example.com");
            assert!(!accepts(&app, &forged_token).await);
        }
    }
}
