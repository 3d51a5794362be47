//! Tests the lifetime of a session, and the requests that extend the lifetime.

use std::time::Duration;

use e2e::{App, Engine, on_both_engines};
use serde_json::json;

use super::fixtures::*;
use super::get_session::expires_at;

on_both_engines! {
    a_session_is_extended_once_a_day_by_any_request,
    a_session_that_is_not_remembered_is_not_extended,
    the_setting_session_ttl_determines_the_lifetime,
    a_session_expires_a_week_after_its_last_use,
}

const SECOND: Duration = Duration::from_secs(1);
/// One second less than a day.
const ALMOST_A_DAY: Duration = Duration::from_secs(86_399);
/// One second less than a week.
const ALMOST_A_WEEK: Duration = Duration::from_secs(604_799);

async fn a_session_is_extended_once_a_day_by_any_request(app: App) {
    let ada = sign_up(&app, "ada").await;
    app.clock.advance(ALMOST_A_DAY);
    let response = ada.get(&app, GET_SESSION).await;
    assert!(response.header_values("set-cookie").is_empty());
    assert_eq!(
        response.ok()["session"]["expiresAt"],
        "2026-11-27T12:57:51.869Z"
    );
    app.clock.advance(SECOND);
    let response = ada.get(&app, GET_SESSION).await;
    let cookies = response.header_values("set-cookie");
    assert_eq!(cookies.len(), 1);
    assert_eq!(signed_token(cookies[0]), ada.signed_token());
    assert!(cookies[0].contains("; Max-Age=604800;"));
    assert_eq!(
        response.header("set-auth-token"),
        Some(&*ada.signed_token())
    );
    let session = response.ok()["session"].clone();
    assert_eq!(session["expiresAt"], "2026-11-28T12:57:51.869Z");
    assert_eq!(session["updatedAt"], "2026-11-21T12:57:51.869Z");
    assert_eq!(session["createdAt"], "2026-11-20T12:57:51.869Z");
    assert!(
        ada.get(&app, GET_SESSION)
            .await
            .header_values("set-cookie")
            .is_empty()
    );
    for (day, path) in [(22, "list-sessions"), (23, "list-accounts"), (24, "token")] {
        app.clock.advance(DAY);
        let response = ada
            .get(&app, &format!("/api/auth/{path}"))
            .await
            .assert_status(200);
        assert_eq!(response.header_values("set-cookie").len(), 1, "{path}");
        let expires_on = format!("2026-11-{}", day + 7).replace("11-31", "12-01");
        let expected = format!("{expires_on}T12:57:51.869Z");
        assert_eq!(expires_at(&app, &ada, "").await, expected, "{path}");
    }
}

async fn a_session_that_is_not_remembered_is_not_extended(app: App) {
    let mut body = sign_up_body("ada");
    body["rememberMe"] = false.into();
    let response = app.anonymous().post(SIGN_UP, body).await.assert_status(200);
    let ada = Browser::from_response(&response);
    // The session is not extended even if the browser loses the cookie `better-auth.dont_remember`.
    let session_cookie = ada.cookies.split("; ").next().unwrap().to_owned();
    let browser_without_flag = Browser {
        cookies: session_cookie,
        ..ada.clone()
    };
    app.clock.advance(ALMOST_A_DAY);
    for browser in [&ada, &browser_without_flag] {
        let response = browser.get(&app, GET_SESSION).await;
        assert!(response.header_values("set-cookie").is_empty());
        let session = response.ok()["session"].clone();
        assert_eq!(session["expiresAt"], "2026-11-21T12:57:51.869Z");
    }
    let response = ada
        .post(&app, "/api/auth/update-user", json!({ "name": "Ada" }))
        .await
        .assert_status(200);
    let cookies = response.header_values("set-cookie");
    assert_eq!(cookies.len(), 2);
    assert!(cookies.iter().all(|cookie| !cookie.contains("Max-Age")));
    app.clock.advance(SECOND);
    assert!(!ada.is_signed_in(&app).await);
}

async fn the_setting_session_ttl_determines_the_lifetime(engine: Engine) {
    let app = App::on(engine).set("session-ttl", "7h").start();
    let response = app
        .anonymous()
        .post(SIGN_UP, sign_up_body("ada"))
        .await
        .assert_status(200);
    assert!(response.header_values("set-cookie")[0].contains("; Max-Age=25200;"));
    let ada = Browser::from_response(&response);
    app.clock.advance(SECOND * 3600);
    assert_eq!(expires_at(&app, &ada, "").await, "2026-11-20T20:57:51.869Z");
    app.clock.advance(SECOND * 3600 * 7);
    assert!(!ada.is_signed_in(&app).await);
}

async fn a_session_expires_a_week_after_its_last_use(app: App) {
    let ada = sign_up(&app, "ada").await;
    for _ in 0..5 {
        app.clock.advance(ALMOST_A_WEEK);
        assert!(ada.is_signed_in(&app).await);
    }
    app.clock.advance(WEEK);
    assert!(!ada.is_signed_in(&app).await);
}
