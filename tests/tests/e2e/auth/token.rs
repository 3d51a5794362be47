//! Tests `POST /api/auth/token`, which exchanges an access token for a token of another audience.

mod scope;

use std::time::{Duration, UNIX_EPOCH};

use auth_core::{Claims, Error, Keyring, Secret, TokenVerifier};
use e2e::{App, Client, Engine, Issuer, Response, on_both_engines};
use serde_json::{Value, json};

use crate::operations::protected;

on_both_engines! {
    the_new_token_contains_the_audience_and_the_user,
    each_service_accepts_only_its_own_tokens,
    the_server_accepts_no_token_of_another_audience,
    the_new_token_expires_with_the_submitted_token,
    the_new_token_is_valid_for_15_minutes_even_if_the_submitted_token_is_valid_longer,
    an_expired_token_within_the_leeway_is_not_exchanged,
    any_unlisted_audience_is_forbidden,
    without_the_setting_token_audiences_no_audience_is_allowed,
    the_audience_is_required,
    the_token_of_a_revoked_session_is_not_exchanged,
    the_token_in_a_cookie_is_exchanged_only_for_a_trusted_origin,
    the_token_in_a_cookie_is_not_exchanged_for_a_token_of_this_server,
}

const TOKEN: &str = "/api/auth/token";
const SERVER_ORIGIN: &str = "http://127.0.0.1:8080";

fn start_app(engine: Engine) -> App {
    let audiences = "reports, billing,https://c.example/Ä";
    App::on(engine).set("token-audiences", audiences).start()
}

async fn request_exchange(caller: &Client, audience: &str) -> Response {
    caller.post(TOKEN, json!({ "audience": audience })).await
}

async fn exchanged_token(caller: &Client, audience: &str) -> String {
    let response = request_exchange(caller, audience).await.ok();
    response["access_token"].as_str().unwrap().to_owned()
}

/// Verifies a token as the service of this audience, with the key that is derived for the service.
fn verify_as_service(app: &App, audience: &str, token: &str) -> Result<Claims, Error> {
    let secret = Secret::new(app.secret()).unwrap();
    let keyring = Keyring::new(secret.for_audience(audience).unwrap());
    let verifier = TokenVerifier::new(keyring, "api-server", audience).unwrap();
    verifier.verify(token, app.clock.now())
}

/// Verifies an access token of the server and returns the claims.
fn access_token_claims(app: &App, token: &str) -> Claims {
    let keyring = Keyring::new(Secret::new(app.secret()).unwrap());
    let verifier = TokenVerifier::new(keyring, "api-server", "api").unwrap();
    verifier.verify(token, app.clock.now()).unwrap()
}

fn now_in_unix_seconds(app: &App) -> i64 {
    let since_epoch = app.clock.now().duration_since(UNIX_EPOCH).unwrap();
    since_epoch.as_secs().try_into().unwrap()
}

async fn the_new_token_contains_the_audience_and_the_user(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    let response = request_exchange(&ada, "reports").await;
    assert_eq!(response.header("cache-control"), Some("no-store"));
    assert!(response.header_values("set-cookie").is_empty());
    let body = response.ok();
    let token = body["access_token"].as_str().unwrap();
    let expected = json!({ "access_token": token, "token_type": "Bearer", "expires_in": 900 });
    assert_eq!(body, expected);

    let new_claims = verify_as_service(&app, "reports", token).unwrap();
    let submitted_claims = access_token_claims(&app, ada.token());
    assert_eq!(
        (&*new_claims.sub, new_claims.email.as_deref()),
        (ada.id(), Some(ada.email()))
    );
    assert_eq!(new_claims.sid, submitted_claims.sid);
    assert_eq!(
        (new_claims.iat, new_claims.exp),
        (submitted_claims.iat, submitted_claims.exp)
    );
    let second_token = exchanged_token(&ada, "reports").await;
    let second_claims = verify_as_service(&app, "reports", &second_token).unwrap();
    assert!(new_claims.jti != submitted_claims.jti && new_claims.jti != second_claims.jti);
}

async fn each_service_accepts_only_its_own_tokens(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    let audiences = ["reports", "billing", "https://c.example/Ä"];
    for token_audience in audiences {
        let token = exchanged_token(&ada, token_audience).await;
        for service_audience in audiences {
            let result = verify_as_service(&app, service_audience, &token);
            assert_eq!(
                result.is_ok(),
                service_audience == token_audience,
                "{token_audience} {service_audience}"
            );
        }
        let result = verify_as_service(&app, token_audience, ada.token());
        assert_eq!(result, Err(Error::SignatureMismatch));
    }
}

async fn the_server_accepts_no_token_of_another_audience(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    let token = exchanged_token(&ada, "reports").await;
    let caller = app.bearer(token.as_str());
    for operation in protected(&app).await {
        let response = operation.request(&caller, ada.id()).await;
        response.problem(401, "INVALID_TOKEN");
    }
    request_exchange(&caller, "reports")
        .await
        .problem(401, "INVALID_TOKEN");
    let cookie = format!("access_token={token}");
    let request = app.anonymous().get("/api/auth/session");
    let response = request.header("cookie", &cookie).await;
    response.problem(401, "INVALID_TOKEN");
    let logout_response = caller.post("/api/auth/logout", json!({})).await.ok();
    assert_eq!(logout_response["revoked"], 0);
}

async fn the_new_token_expires_with_the_submitted_token(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    let submitted_claims = access_token_claims(&app, ada.token());
    app.clock.advance(Duration::from_secs(600));
    let response = request_exchange(&ada, "reports").await.ok();
    assert_eq!(
        response["expires_in"],
        submitted_claims.exp - now_in_unix_seconds(&app)
    );
    let token = response["access_token"].as_str().unwrap();
    let new_claims = verify_as_service(&app, "reports", token).unwrap();
    assert_eq!(
        (new_claims.iat, new_claims.exp),
        (now_in_unix_seconds(&app), submitted_claims.exp)
    );
}

/// Another service with the same secret can issue tokens with a longer lifetime, in this test a year.
async fn the_new_token_is_valid_for_15_minutes_even_if_the_submitted_token_is_valid_longer(
    engine: Engine,
) {
    let app = start_app(engine);
    let mut issuer = Issuer::of(&app);
    issuer.lifetime = Duration::from_secs(365 * 24 * 60 * 60);
    let caller = app.bearer(issuer.issue("eve", "eve@example.com"));
    let response = request_exchange(&caller, "reports").await.ok();
    assert_eq!(response["expires_in"], 900);
}

async fn an_expired_token_within_the_leeway_is_not_exchanged(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    app.clock.advance(Duration::from_secs(899));
    let response = request_exchange(&ada, "reports").await.ok();
    assert_eq!(response["expires_in"], 1);
    app.clock.advance(Duration::from_secs(1));
    ada.get("/api/auth/session").await.ok();
    request_exchange(&ada, "reports")
        .await
        .problem(401, "TOKEN_EXPIRED");
}

async fn any_unlisted_audience_is_forbidden(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    for audience in [
        "api",
        "api-server",
        "nothing",
        "Reports",
        "reports ",
        " ",
        "reports,billing",
        "reports\0",
        "*",
    ] {
        let problem = request_exchange(&ada, audience)
            .await
            .problem(403, "FORBIDDEN");
        assert_eq!(problem["detail"], "This audience is not allowed");
    }
}

async fn without_the_setting_token_audiences_no_audience_is_allowed(app: App) {
    let ada = app.user("ada").await;
    let problem = request_exchange(&ada, "reports")
        .await
        .problem(403, "FORBIDDEN");
    assert_eq!(problem["detail"], "This audience is not allowed");
}

async fn the_audience_is_required(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    let post = |body: Value| ada.post(TOKEN, body);
    for body in [
        json!({}),
        json!({ "audience": "" }),
        json!({ "aud": "reports" }),
    ] {
        let response = post(body).await;
        response.invalid("audience", "required", "is required");
    }
    for audience in [json!(null), json!(1), json!(["reports"])] {
        let response = post(json!({ "audience": audience })).await;
        response.invalid("audience", "invalid_type", "must be a string");
    }
}

async fn the_token_of_a_revoked_session_is_not_exchanged(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    ada.post("/api/auth/logout", json!({})).await.ok();
    request_exchange(&ada, "reports")
        .await
        .problem(401, "TOKEN_REVOKED");
}

/// A script in a page cannot read the cookies. It must not get a token of this server in exchange, because that
/// token would also work outside of the browser.
async fn the_token_in_a_cookie_is_not_exchanged_for_a_token_of_this_server(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    let cookie = format!("access_token={}", ada.token());
    let body = json!({ "scope": "tasks:read tasks:write account:read account:write sessions" });
    let request = app.anonymous().post(TOKEN, body.clone());
    let request = request.header("cookie", &cookie);
    let response = request.header("origin", SERVER_ORIGIN).await;
    let problem = response.problem(403, "FORBIDDEN");
    assert_eq!(
        problem["detail"],
        "A request with cookies gets no token of this server; send the access token as a bearer token"
    );
    ada.post(TOKEN, body).await.ok();
}

async fn the_token_in_a_cookie_is_exchanged_only_for_a_trusted_origin(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    let cookie = format!("access_token={}", ada.token());
    let request = app
        .anonymous()
        .post(TOKEN, json!({ "audience": "reports" }));
    let request = request.header("cookie", &cookie);
    for origin in ["null", "https://evil.example"] {
        let response = request.clone().header("origin", origin).await;
        response.problem(403, "UNTRUSTED_ORIGIN");
    }
    request.clone().await.problem(403, "UNTRUSTED_ORIGIN");
    let response = request.header("origin", SERVER_ORIGIN).await;
    assert!(response.header_values("set-cookie").is_empty());
    let body = response.ok();
    let token = body["access_token"].as_str().unwrap();
    assert_eq!(
        verify_as_service(&app, "reports", token).unwrap().sub,
        ada.id()
    );
}
