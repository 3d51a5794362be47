//! Tests that the endpoints that need a session reject requests without a session, and requests with a revoked or an
//! expired session.

use e2e::{App, Engine, Request, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;

on_both_engines! {
    without_a_session_every_route_is_401_and_get_session_is_null,
    a_revoked_session_is_401_and_its_cookies_are_cleared,
    an_expired_session_is_401_and_its_cookies_are_cleared,
    the_session_of_a_deleted_user_is_rejected,
}

/// The routes that need a session: the method, the path after `/api/auth`, and a valid body, which may be empty.
const SESSION_ROUTES: [(&str, &str, &str); 12] = [
    ("GET", "/list-sessions", ""),
    ("POST", "/revoke-session", r#"{"token":"x"}"#),
    ("POST", "/revoke-sessions", "{}"),
    ("POST", "/revoke-other-sessions", ""),
    ("POST", "/update-user", r#"{"name":"Eve"}"#),
    ("POST", "/update-session", r#"{"theme":"dark"}"#),
    (
        "POST",
        "/change-password",
        r#"{"currentPassword":"x","newPassword":"long enough"}"#,
    ),
    ("POST", "/verify-password", r#"{"password":"x"}"#),
    ("POST", "/delete-user", "{}"),
    ("POST", "/change-email", r#"{"newEmail":"eve@example.com"}"#),
    ("GET", "/list-accounts", ""),
    ("GET", "/token", ""),
];

/// Builds a request to each of [`SESSION_ROUTES`], without credentials.
fn session_requests(app: &App) -> Vec<Request> {
    let requests = SESSION_ROUTES.iter().map(|(method, path, body)| {
        let request = app.anonymous().request(method, &format!("/api/auth{path}"));
        if body.is_empty() {
            request
        } else {
            request.body(*body)
        }
    });
    requests.collect()
}

async fn without_a_session_every_route_is_401_and_get_session_is_null(engine: Engine) {
    let app = App::on(engine)
        .set("better-auth-delete-user", "true")
        .start();
    for request in session_requests(&app) {
        let response = request.await;
        assert_error(&response, UNAUTHORIZED);
        assert!(
            response.header_values("set-cookie").is_empty(),
            "{response:?}"
        );
    }
    let response = app.anonymous().get(GET_SESSION).await;
    assert_eq!(response.header("pragma"), Some("no-cache"));
    assert!(response.header_values("set-cookie").is_empty());
    assert_eq!(response.ok(), Value::Null);
}

/// Asserts that `get-session` and each of [`SESSION_ROUTES`] respond as without a session, and clear the cookies.
async fn assert_signed_out(app: &App, browser: &Browser) {
    for request in session_requests(app) {
        let request = request.header("cookie", &browser.cookies);
        let response = request.header("origin", SERVER_ORIGIN).await;
        assert_error(&response, UNAUTHORIZED);
        assert_eq!(response.header_values("set-cookie"), CLEARED_COOKIES);
        assert_eq!(response.header("set-auth-token"), None);
    }
    let response = browser.get(app, GET_SESSION).await;
    assert_eq!(response.header_values("set-cookie"), CLEARED_COOKIES);
    assert_eq!(response.ok(), Value::Null);
}

async fn a_revoked_session_is_401_and_its_cookies_are_cleared(engine: Engine) {
    let app = App::on(engine)
        .set("better-auth-delete-user", "true")
        .start();
    let (ada, phone) = (
        sign_up(&app, "ada").await,
        sign_in(&app, "ada@example.com").await,
    );
    let body = json!({ "token": ada.token });
    let path = "/api/auth/revoke-session";
    let response = phone.post(&app, path, body).await;
    assert_eq!(response.ok(), json!({ "status": true }));
    assert_signed_out(&app, &ada).await;
    assert!(phone.is_signed_in(&app).await);
}

async fn an_expired_session_is_401_and_its_cookies_are_cleared(engine: Engine) {
    let app = App::on(engine)
        .set("better-auth-delete-user", "true")
        .start();
    let ada = sign_up(&app, "ada").await;
    app.clock.advance(WEEK);
    assert_signed_out(&app, &ada).await;
}

async fn the_session_of_a_deleted_user_is_rejected(app: App) {
    let ada = sign_up(&app, "ada").await;
    app.database().execute("DELETE FROM users");
    let response = ada.get(&app, GET_SESSION).await;
    assert_eq!(response.header_values("set-cookie"), CLEARED_COOKIES);
    assert_eq!(response.ok(), Value::Null);
}
