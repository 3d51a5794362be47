//! Tests the scopes of the tokens for which `POST /api/auth/token` exchanges an access token.

use auth_core::{Claims, Keyring, Scope, Secret, TokenVerifier};
use e2e::{App, Client, Engine, on_both_engines};
use serde_json::{Value, json};

use super::{TOKEN, start_app};

on_both_engines! {
    a_token_can_be_limited_to_scopes_of_this_server,
    a_limited_token_cannot_be_exchanged_for_more,
    a_limited_token_stays_limited_without_a_requested_scope,
    a_service_gets_scopes_of_its_own,
    an_unknown_scope_of_this_server_is_rejected,
    a_malformed_scope_is_rejected,
    the_new_token_has_the_roles_and_claims_of_the_user,
}

async fn limited(app: &App, caller: &Client, scope: &str) -> Client {
    let body = caller.post(TOKEN, json!({ "scope": scope })).await.ok();
    assert_eq!(body["scope"], scope);
    app.bearer(body["access_token"].as_str().unwrap())
}

/// Verifies a token of the server, or of a service if there is an audience.
fn claims_of(app: &App, token: &Value, audience: Option<&str>) -> Claims {
    let secret = Secret::new(app.secret()).unwrap();
    let service_secret = audience.map(|audience| secret.for_audience(audience).unwrap());
    let keyring = Keyring::new(service_secret.unwrap_or(secret));
    let verifier = TokenVerifier::new(keyring, "api-server", audience.unwrap_or("api")).unwrap();
    let verifier = verifier.with_custom_claims();
    let token = token.as_str().unwrap();
    verifier.verify(token, app.clock.now()).unwrap()
}

async fn a_token_can_be_limited_to_scopes_of_this_server(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    let reader = limited(&app, &ada, "tasks:read account:read")
        .await
        .with_id(ada.id());
    reader.get(&ada.tasks()).await.ok();
    let session = reader.get("/api/auth/session").await.ok();
    assert_eq!(session["user"]["id"], ada.id());
    let refused = reader.post(&ada.tasks(), json!({ "title": "x" })).await;
    refused.problem(403, "INSUFFICIENT_SCOPE");
    let refused = reader.get("/api/auth/sessions").await;
    refused.problem(403, "INSUFFICIENT_SCOPE");
    ada.post("/api/auth/logout", json!({})).await.ok();
    reader.get(&ada.tasks()).await.problem(401, "TOKEN_REVOKED");
}

async fn a_limited_token_cannot_be_exchanged_for_more(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    let reader = limited(&app, &ada, "tasks:read account:read").await;
    limited(&app, &reader, "tasks:read").await;
    for body in [
        json!({ "scope": "tasks:write" }),
        json!({ "scope": "tasks:read sessions" }),
        json!({ "scope": "tasks:write", "audience": "reports" }),
    ] {
        reader.post(TOKEN, body).await.problem(403, "FORBIDDEN");
    }
}

async fn a_limited_token_stays_limited_without_a_requested_scope(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    let reader = limited(&app, &ada, "tasks:read").await;
    let body = reader
        .post(TOKEN, json!({ "audience": "reports" }))
        .await
        .ok();
    assert_eq!(body["scope"], "tasks:read");
    let claims = claims_of(&app, &body["access_token"], Some("reports"));
    assert_eq!(claims.scope, Some(Scope::new("tasks:read").unwrap()));
}

async fn a_service_gets_scopes_of_its_own(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    let request = json!({ "audience": "reports", "scope": "reports:export https://x/y" });
    let body = ada.post(TOKEN, request).await.ok();
    let claims = claims_of(&app, &body["access_token"], Some("reports"));
    assert!(claims.has_scope("reports:export") && claims.has_scope("https://x/y"));
    assert!(!claims.has_scope("reports:delete"));
}

async fn an_unknown_scope_of_this_server_is_rejected(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    for scope in ["tasks", "tasks:read admin", "Tasks:read", "*"] {
        let response = ada.post(TOKEN, json!({ "scope": scope })).await;
        let message =
            "must be names of tasks:read, tasks:write, account:read, account:write and sessions";
        response.invalid("scope", "unknown_scope", message);
    }
}

async fn a_malformed_scope_is_rejected(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    let too_many = vec!["a"; 1000].join(" ");
    let too_long = "a".repeat(1025);
    for scope in [
        "",
        " tasks:read",
        "tasks:read  sessions",
        "tasks:read\tsessions",
        "tasks:\"read",
        "tasks:ä",
        too_many.as_str(),
        too_long.as_str(),
    ] {
        let response = ada.post(TOKEN, json!({ "scope": scope })).await;
        let message =
            "must be 1 to 64 names with one space between two of them, at most 1024 characters";
        response.invalid("scope", "invalid_scope", message);
    }
    for scope in [json!(null), json!(1), json!(["tasks:read"])] {
        let response = ada.post(TOKEN, json!({ "scope": scope })).await;
        response.invalid("scope", "invalid_type", "must be a string");
    }
}

async fn the_new_token_has_the_roles_and_claims_of_the_user(engine: Engine) {
    let app = start_app(engine);
    let ada = app.user("ada").await;
    for command in [
        ["users", "roles", ada.email(), "--add", "editor"],
        ["users", "claims", ada.email(), "--set", "plan=pro"],
    ] {
        assert!(app.another_process().run_command(&command).await);
    }
    let login = json!({ "email": ada.email(), "password": ada.password() });
    let login = app.anonymous().post("/api/auth/login", login).await.ok();
    let caller = app.bearer(login["access_token"].as_str().unwrap());
    let body = caller
        .post(TOKEN, json!({ "audience": "reports" }))
        .await
        .ok();
    let claims = claims_of(&app, &body["access_token"], Some("reports"));
    assert!(claims.has_role("editor"));
    assert_eq!(claims.claims_version, 2);
    assert_eq!(claims.custom::<Value>().unwrap(), json!({ "plan": "pro" }));
}
