//! Tests `POST /api/auth/send-verification-email`.

use e2e::{App, Engine, on_both_engines};
use serde_json::json;

use super::fixtures::*;
use crate::auth::email_verification::{confirm_with_password, is_verified};
use crate::mail::{received, until_nothing_waits};
use crate::sessions::fixtures::count;

on_both_engines! {
    the_mail_links_to_our_page_which_leads_to_the_callback_url,
    without_a_session_every_address_gets_the_same_response,
    a_signed_in_user_gets_a_mail_only_to_the_own_address,
    a_signed_in_user_with_a_verified_address_is_told_so,
    an_untrusted_callback_url_is_rejected,
    invalid_fields_are_rejected,
    requests_for_mails_are_limited_per_network,
}

const SEND: &str = "/api/auth/send-verification-email";

async fn the_mail_links_to_our_page_which_leads_to_the_callback_url(engine: Engine) {
    let app = App::on(engine)
        .set("allowed-origins", "https://app.example")
        .start();
    let ada = sign_up(&app, "ada").await;
    for (number, (callback_url, query)) in [
        (json!("/welcome?a=b"), "?callbackURL=%2Fwelcome%3Fa%3Db"),
        (
            json!("https://app.example/done"),
            "?callbackURL=https%3A%2F%2Fapp%2Eexample%2Fdone",
        ),
        (json!(""), ""),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "email": "ada@example.com", "callbackURL": callback_url });
        // The first request has a session, the other two have none.
        let request = match number {
            0 => ada.post(&app, SEND, body),
            _ => app.anonymous().post(SEND, body),
        };
        assert_eq!(request.await.ok(), json!({ "status": true }));
        let mails = received(&app, "ada@example.com", number + 1).await;
        let link = format!("http://127.0.0.1:8080/verify{query}#");
        let mut links = mails.iter().map(e2e::Mail::link);
        assert!(
            links.any(|mail_link| mail_link.starts_with(&link)),
            "{mails:?}"
        );
    }
    let mails = app.mails_to("ada@example.com");
    let response = confirm_with_password(&app, mails[0].token(), PASSWORD).await;
    response.ok();
    assert!(is_verified(&app, "ada@example.com"));
}

async fn without_a_session_every_address_gets_the_same_response(app: App) {
    sign_up(&app, "ada").await;
    sign_up(&app, "eve").await;
    app.database()
        .execute("UPDATE users SET email_verified = TRUE WHERE email = 'eve@example.com'");
    for email in ["ada@example.com", "eve@example.com", "nobody@example.com"] {
        let response = app.anonymous().post(SEND, json!({ "email": email })).await;
        assert_eq!(response.header_values("set-cookie"), [""; 0]);
        assert_eq!(response.ok(), json!({ "status": true }));
    }
    assert_eq!(count(&app, "outbox"), 3);
    until_nothing_waits(&app).await;
    assert_eq!(app.mails().len(), 1);
    received(&app, "ada@example.com", 1).await;
}

async fn a_signed_in_user_gets_a_mail_only_to_the_own_address(app: App) {
    let ada = sign_up(&app, "ada").await;
    sign_up(&app, "eve").await;
    for email in ["eve@example.com", "nobody@example.com"] {
        let response = ada.post(&app, SEND, json!({ "email": email })).await;
        assert_error(&response, (400, "EMAIL_MISMATCH", "Email mismatch"));
    }
    assert_eq!(count(&app, "outbox"), 0);
    let request = ada.post(&app, SEND, json!({ "email": "ADA@example.com" }));
    assert_eq!(request.await.ok(), json!({ "status": true }));
    received(&app, "ada@example.com", 1).await;
}

async fn a_signed_in_user_with_a_verified_address_is_told_so(app: App) {
    let ada = sign_up(&app, "ada").await;
    app.database()
        .execute("UPDATE users SET email_verified = TRUE");
    let body = json!({ "email": "ada@example.com" });
    let response = ada.post(&app, SEND, body.clone()).await;
    let expected = (400, "EMAIL_ALREADY_VERIFIED", "Email is already verified");
    assert_error(&response, expected);
    // After a sign-out, the response does not reveal that the address is verified.
    ada.post(&app, "/api/auth/sign-out", json!({})).await.ok();
    assert_eq!(
        ada.post(&app, SEND, body).await.ok(),
        json!({ "status": true })
    );
}

async fn an_untrusted_callback_url_is_rejected(app: App) {
    sign_up(&app, "ada").await;
    for email in ["ada@example.com", "nobody@example.com"] {
        let body = json!({ "email": email, "callbackURL": "https://evil.example/" });
        let response = app.anonymous().post(SEND, body).await;
        let expected = (403, "INVALID_CALLBACK_URL", "Invalid callbackURL");
        assert_error(&response, expected);
    }
    assert_eq!(count(&app, "outbox"), 0);
}

async fn invalid_fields_are_rejected(app: App) {
    for (body, message) in [
        (
            json!({}),
            "[body.email] Invalid input: expected string, received undefined",
        ),
        (
            json!({ "email": "ada" }),
            "[body.email] Invalid email address",
        ),
    ] {
        let response = app.anonymous().post(SEND, body).await;
        assert_error(&response, (400, "VALIDATION_ERROR", message));
    }
}

async fn requests_for_mails_are_limited_per_network(engine: Engine) {
    let app = App::on(engine)
        .behind_proxy()
        .set("max-mail-requests-per-network", "1")
        .start();
    let request = || {
        let request = app
            .anonymous()
            .post(SEND, json!({ "email": "ada@example.com" }));
        request.header("x-forwarded-for", "192.0.2.1")
    };
    request().await.ok();
    let response = request().await;
    let message = "Too many requests. Please try again later.";
    assert_error(&response, (429, "", message));
}
