//! Tests that a sign-in or a sign-up with a session cookie revokes the session of that cookie.

use e2e::{App, Engine, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;

on_both_engines! {
    a_sign_in_revokes_the_session_whose_cookie_is_replaced,
    a_sign_up_revokes_the_session_whose_cookie_is_replaced,
    a_failed_sign_in_revokes_nothing,
    a_forged_or_duplicate_cookie_revokes_nothing,
    a_request_from_another_site_revokes_nothing,
}

fn sign_in_body(name: &str) -> Value {
    json!({ "email": format!("{name}@example.com"), "password": PASSWORD })
}

async fn a_sign_in_revokes_the_session_whose_cookie_is_replaced(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let phone = sign_in(&app, "ada@example.com").await;
    let access_token = ada.get(&app, "/api/auth/token").await.ok()["token"].clone();
    let response = ada.post(&app, SIGN_IN, sign_in_body("ada")).await;
    let new_browser = Browser::from_response(&response.assert_status(200));
    assert!(!ada.is_signed_in(&app).await && phone.is_signed_in(&app).await);
    let thief = app.bearer(access_token.as_str().unwrap());
    let response = thief.get("/api/auth/session").await;
    response.problem(401, "TOKEN_REVOKED");
    // A different user signs in with the same browser.
    let response = new_browser.post(&app, SIGN_IN, sign_in_body("eve")).await;
    let switched_browser = Browser::from_response(&response.assert_status(200));
    assert!(!new_browser.is_signed_in(&app).await);
    assert!(switched_browser.is_signed_in(&app).await && eve.is_signed_in(&app).await);
    // The session of this cookie was revoked earlier, so the next sign-in revokes nothing.
    let response = new_browser.post(&app, SIGN_IN, sign_in_body("ada")).await;
    assert!(
        Browser::from_response(&response.assert_status(200))
            .is_signed_in(&app)
            .await
    );
    assert!(phone.is_signed_in(&app).await && switched_browser.is_signed_in(&app).await);
}

async fn a_sign_up_revokes_the_session_whose_cookie_is_replaced(app: App) {
    let ada = sign_up(&app, "ada").await;
    let phone = sign_in(&app, "ada@example.com").await;
    let response = ada.post(&app, SIGN_UP, sign_up_body("bob")).await;
    assert!(
        Browser::from_response(&response.assert_status(200))
            .is_signed_in(&app)
            .await
    );
    assert!(!ada.is_signed_in(&app).await && phone.is_signed_in(&app).await);
}

async fn a_failed_sign_in_revokes_nothing(app: App) {
    let ada = sign_up(&app, "ada").await;
    let wrong_body = json!({ "email": "ada@example.com", "password": "wrong password" });
    assert_error(
        &ada.post(&app, SIGN_IN, wrong_body).await,
        (
            401,
            "INVALID_EMAIL_OR_PASSWORD",
            "Invalid email or password",
        ),
    );
    let response = ada.post(&app, SIGN_UP, sign_up_body("ada")).await;
    assert_eq!(response.status(), 422);
    assert!(ada.is_signed_in(&app).await);
}

async fn a_forged_or_duplicate_cookie_revokes_nothing(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let signature = eve.signed_token().rsplit_once('.').unwrap().1.to_owned();
    for cookies in [
        format!("{SESSION_COOKIE}={}", ada.token),
        format!(
            "{SESSION_COOKIE}={}.{}",
            ada.token,
            percent_encode(&signature)
        ),
        format!("{}; {0}", ada.cookies),
        format!("{}; {}", ada.cookies, eve.cookies),
    ] {
        let browser = Browser {
            cookies,
            ..eve.clone()
        };
        let response = browser.post(&app, SIGN_IN, sign_in_body("eve")).await;
        let _response = response.assert_status(200);
        assert!(ada.is_signed_in(&app).await && eve.is_signed_in(&app).await);
    }
    // A sign-in with a token in the header replaces no cookie and therefore revokes nothing.
    let token_client = app.bearer(ada.token.as_str());
    token_client.post(SIGN_IN, sign_in_body("ada")).await.ok();
    assert!(ada.is_signed_in(&app).await);
}

async fn a_request_from_another_site_revokes_nothing(engine: Engine) {
    let app = App::on(engine).start();
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    for origin in [None, Some("null"), Some("https://evil.example")] {
        let mut request = app.anonymous().post(SIGN_IN, sign_in_body("eve"));
        request = request.header("cookie", &ada.cookies);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        assert_eq!(request.await.status(), 403);
        assert!(ada.is_signed_in(&app).await && eve.is_signed_in(&app).await);
    }
}
