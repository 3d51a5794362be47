//! Tests the users and the sessions that Better Auth's API and the server's own API share, and both APIs without a
//! database.

use std::time::Duration;

use e2e::{App, Client, Database, Engine, Options, Proxy, on_both_engines, on_postgres};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    a_session_of_one_api_is_listed_and_revoked_by_the_other_api,
    the_access_token_is_accepted_by_the_other_api_until_the_session_is_revoked,
    the_session_endpoint_accepts_the_cookie_of_a_live_session,
    an_access_token_is_used_instead_of_the_cookie,
    a_user_of_one_api_logs_in_with_the_other_api,
}

on_postgres! {
    without_a_database_the_response_is_503_and_no_user_is_signed_out,
}

const SESSION: &str = "/api/auth/session";

/// Returns a caller with an access token for the session of this browser.
async fn caller_with_access_token(app: &App, browser: &Browser) -> Client {
    let body = browser.get(app, "/api/auth/token").await.ok();
    app.bearer(body["token"].as_str().unwrap())
}

async fn a_session_of_one_api_is_listed_and_revoked_by_the_other_api(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let login_response = app.anonymous().post("/api/auth/login", body).await.ok();
    let login_caller = app.bearer(login_response["access_token"].as_str().unwrap());

    let better_auth_sessions = ada.get(&app, LIST_SESSIONS).await.ok();
    assert_eq!(better_auth_sessions.as_array().unwrap().len(), 2);
    let api_server_sessions = login_caller.get("/api/auth/sessions").await.ok();
    assert_eq!(api_server_sessions.as_array().unwrap().len(), 2);

    let mut entries = better_auth_sessions.as_array().unwrap().iter();
    let login_entry = entries.find(|session| session["id"] == login_response["session_id"]);
    let body = json!({ "token": login_entry.unwrap()["token"] });
    ada.post(&app, "/api/auth/revoke-session", body).await.ok();
    login_caller
        .get(SESSION)
        .await
        .problem(401, "TOKEN_REVOKED");
    let body = json!({ "refresh_token": login_response["refresh_token"] });
    let response = app.anonymous().post("/api/auth/refresh", body).await;
    response.problem(401, "SESSION_EXPIRED");

    let ada_session_id = ada.session(&app).await["session"]["id"].clone();
    let ada_caller = caller_with_access_token(&app, &ada).await;
    let path = format!("/api/auth/sessions/{}", ada_session_id.as_str().unwrap());
    ada_caller.delete(&path).await.ok();
    assert!(!ada.is_signed_in(&app).await);
}

async fn the_access_token_is_accepted_by_the_other_api_until_the_session_is_revoked(app: App) {
    let ada = sign_up(&app, "ada").await;
    let ada_caller = caller_with_access_token(&app, &ada).await;
    assert_eq!(
        ada_caller.get(SESSION).await.ok()["user"]["id"],
        ada.user["id"]
    );
    let body = json!({ "title": "Buy milk" });
    ada_caller.post("/api/tasks", body).await.created();
    let account = ada_caller.get("/api/auth/account").await.ok();
    assert_eq!(account["email"], "ada@example.com");
    ada_caller.post("/api/auth/logout", json!({})).await.ok();
    assert!(!ada.is_signed_in(&app).await);
    ada_caller.get(SESSION).await.problem(401, "TOKEN_REVOKED");
}

async fn the_session_endpoint_accepts_the_cookie_of_a_live_session(app: App) {
    let ada = sign_up(&app, "ada").await;
    let expected = json!({
        "user": { "id": ada.user["id"], "email": "ada@example.com", "roles": [], "claims": {} },
        "session": {
            "id": ada.session(&app).await["session"]["id"],
            "expiresAt": "2026-11-27T12:57:51.869Z",
        },
    });
    let response = ada.get(&app, SESSION).await;
    assert!(response.header_values("set-cookie").is_empty());
    assert_eq!(response.ok(), expected);
    let user_id = ada.user["id"].as_str().unwrap();
    ada.get(&app, SESSION)
        .header("x-user-id", user_id)
        .await
        .ok();
    let response = ada.get(&app, SESSION).header("x-user-id", "eve").await;
    response.problem(403, "FORBIDDEN");

    let forged_browser = Browser {
        cookies: format!("{SESSION_COOKIE}=forged"),
        ..ada.clone()
    };
    forged_browser
        .get(&app, SESSION)
        .await
        .problem(401, "UNAUTHORIZED");
    ada.post(&app, "/api/auth/sign-out", json!({})).await.ok();
    ada.get(&app, SESSION).await.problem(401, "SESSION_EXPIRED");
    let bob = sign_up(&app, "bob").await;
    app.clock.advance(Duration::from_secs(7 * 24 * 3600));
    bob.get(&app, SESSION).await.problem(401, "SESSION_EXPIRED");
}

async fn an_access_token_is_used_instead_of_the_cookie(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, app.user("eve").await);
    let session_response = eve.get(SESSION).header("cookie", &ada.cookies).await.ok();
    assert_eq!(session_response["user"]["id"], eve.id());
    let request = app
        .bearer("junk")
        .get(SESSION)
        .header("cookie", &ada.cookies);
    request.await.problem(401, "INVALID_TOKEN");
    let cookies = format!("access_token=junk; {}", ada.cookies);
    let request = app.anonymous().get(SESSION).header("cookie", &cookies);
    request.await.problem(401, "INVALID_TOKEN");
    // The routes of accounts and tasks do not accept the cookie of Better Auth.
    for path in ["/api/auth/account", "/api/tasks"] {
        ada.get(&app, path).await.problem(401, "UNAUTHORIZED");
    }
}

async fn a_user_of_one_api_logs_in_with_the_other_api(app: App) {
    let ada = app.user("ada").await;
    let body = json!({ "email": ada.email(), "password": ada.password() });
    let sign_in_response = app.anonymous().post(SIGN_IN, body).await.ok();
    assert_eq!(sign_in_response["user"]["id"], ada.id());
    sign_up(&app, "eve").await;
    let body = json!({ "email": "eve@example.com", "password": PASSWORD });
    app.anonymous().post("/api/auth/login", body).await.ok();
    // A user may have no name. Better Auth's clients expect a string, so the response has an empty name.
    let body = json!({ "email": "bob@example.com", "password": PASSWORD });
    app.anonymous()
        .post("/api/auth/register", body.clone())
        .await
        .created();
    let sign_in_response = app.anonymous().post(SIGN_IN, body).await.ok();
    assert_eq!(sign_in_response["user"]["name"], "");
}

async fn without_a_database_the_response_is_503_and_no_user_is_signed_out(engine: Engine) {
    let database = Database::new(engine);
    let proxy = Proxy::for_database(&database);
    let url = proxy.url(&database);
    let app = Options::new(database).set("database-url", &url).start();
    let ada = sign_up(&app, "ada").await;
    proxy.cut();
    ada.get(&app, SESSION)
        .await
        .problem(503, "DATABASE_UNAVAILABLE");
    let response = ada.get(&app, GET_SESSION).await;
    assert!(response.header("retry-after").is_some());
    assert!(response.header_values("set-cookie").is_empty());
    let message = "The database does not answer; please try again";
    assert_error(&response, (503, "DATABASE_UNAVAILABLE", message));
    drop(proxy);
}
