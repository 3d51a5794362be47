//! A sign-in or a sign-up with a session cookie revokes the session of that cookie.

use e2e::{App, Engine, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;

on_both_engines! {
    a_sign_in_revokes_the_session_whose_cookie_it_replaces,
    a_sign_up_revokes_the_session_whose_cookie_it_replaces,
    a_failed_sign_in_revokes_nothing,
    a_forged_or_doubled_cookie_revokes_nothing,
    a_request_from_another_site_revokes_nothing,
}

fn credentials(name: &str) -> Value {
    json!({ "email": format!("{name}@example.com"), "password": PASSWORD })
}

async fn a_sign_in_revokes_the_session_whose_cookie_it_replaces(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let phone = sign_in(&app, "ada@example.com").await;
    let access = ada.get(&app, "/api/auth/token").await.ok()["token"].clone();
    let response = ada.post(&app, SIGN_IN, credentials("ada")).await;
    let renewed = Browser::of(&response.is(200));
    assert!(!ada.is_signed_in(&app).await && phone.is_signed_in(&app).await);
    let stolen = app.bearer(access.as_str().unwrap());
    let response = stolen.get("/api/auth/session").await;
    response.problem(401, "TOKEN_REVOKED");
    // A different user signs in with the same browser.
    let response = renewed.post(&app, SIGN_IN, credentials("eve")).await;
    let eve_browser = Browser::of(&response.is(200));
    assert!(!renewed.is_signed_in(&app).await);
    assert!(eve_browser.is_signed_in(&app).await && eve.is_signed_in(&app).await);
    // The session of the cookie is already revoked.
    let response = renewed.post(&app, SIGN_IN, credentials("ada")).await;
    assert!(Browser::of(&response.is(200)).is_signed_in(&app).await);
    assert!(phone.is_signed_in(&app).await && eve_browser.is_signed_in(&app).await);
}

async fn a_sign_up_revokes_the_session_whose_cookie_it_replaces(app: App) {
    let ada = sign_up(&app, "ada").await;
    let phone = sign_in(&app, "ada@example.com").await;
    let response = ada.post(&app, SIGN_UP, sign_up_body("bob")).await;
    assert!(Browser::of(&response.is(200)).is_signed_in(&app).await);
    assert!(!ada.is_signed_in(&app).await && phone.is_signed_in(&app).await);
}

async fn a_failed_sign_in_revokes_nothing(app: App) {
    let ada = sign_up(&app, "ada").await;
    let wrong = json!({ "email": "ada@example.com", "password": "wrong password" });
    assert_error(
        &ada.post(&app, SIGN_IN, wrong).await,
        (
            401,
            "INVALID_EMAIL_OR_PASSWORD",
            "Invalid email or password",
        ),
    );
    let existing = ada.post(&app, SIGN_UP, sign_up_body("ada")).await;
    assert_eq!(existing.status(), 422);
    assert!(ada.is_signed_in(&app).await);
}

async fn a_forged_or_doubled_cookie_revokes_nothing(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let signature = eve.signed_token().rsplit_once('.').unwrap().1.to_owned();
    for cookies in [
        format!("{SESSION_COOKIE}={}", ada.token),
        format!("{SESSION_COOKIE}={}.{}", ada.token, encode(&signature)),
        format!("{}; {0}", ada.cookies),
        format!("{}; {}", ada.cookies, eve.cookies),
    ] {
        let browser = Browser {
            cookies,
            ..eve.clone()
        };
        let response = browser.post(&app, SIGN_IN, credentials("eve")).await;
        let _signed_in = response.is(200);
        assert!(ada.is_signed_in(&app).await && eve.is_signed_in(&app).await);
    }
    // A sign-in with a token in the header revokes nothing either, because it replaces no cookie.
    let phone = app.bearer(ada.token.as_str());
    phone.post(SIGN_IN, credentials("ada")).await.ok();
    assert!(ada.is_signed_in(&app).await);
}

async fn a_request_from_another_site_revokes_nothing(engine: Engine) {
    let app = App::on(engine).start();
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    for origin in [None, Some("null"), Some("https://evil.example")] {
        let mut request = app.anonymous().post(SIGN_IN, credentials("eve"));
        request = request.header("cookie", &ada.cookies);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        assert_eq!(request.await.status(), 403);
        assert!(ada.is_signed_in(&app).await && eve.is_signed_in(&app).await);
    }
}
