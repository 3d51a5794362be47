//! Tests `POST /api/auth/request-password-reset`.

use std::time::Duration;

use e2e::{App, Engine, Mail, Request, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;
use super::origin::start_app;
use crate::mail::until_nothing_waits;
use crate::sessions::fixtures::{count, wait_until};

on_both_engines! {
    known_and_unknown_addresses_get_the_same_response,
    the_link_leads_to_the_page_of_this_server_and_then_to_redirect_to,
    an_address_is_found_in_any_spelling,
    the_mail_is_in_the_language_of_the_request_if_the_account_has_none,
    an_invalid_request_queues_no_mail,
    an_untrusted_redirect_url_queues_no_mail,
    a_request_with_a_cookie_needs_a_trusted_origin,
    requests_are_limited_per_network,
}

const REQUEST_RESET: &str = "/api/auth/request-password-reset";
const MESSAGE: &str = "If this email exists in our system, check your email for the reset link";

/// Requests a mail for this address, and waits for it. The address must have got exactly `earlier_count` such mails
/// before.
pub(crate) async fn requested_mail(app: &App, email: &str, earlier_count: usize) -> Mail {
    request_mail(app, json!({ "email": email })).await;
    let mut mails = reset_mails(app, email, earlier_count + 1).await;
    mails.pop().unwrap()
}

/// Waits until the address has got this many mails for a new password, and returns them in the order of
/// [`App::mails_to`].
async fn reset_mails(app: &App, email: &str, expected_count: usize) -> Vec<Mail> {
    let find_mails = || {
        let mut mails = app.mails_to(email);
        mails.retain(|mail| mail.kind() == "password_reset");
        mails
    };
    wait_until("the mail is there", async || {
        find_mails().len() >= expected_count
    })
    .await;
    let mails = find_mails();
    assert_eq!(mails.len(), expected_count, "{mails:?}");
    mails
}

async fn request_mail(app: &App, body: Value) {
    let response = app.anonymous().post(REQUEST_RESET, body).await;
    assert!(response.header_values("set-cookie").is_empty());
    assert_eq!(response.ok(), json!({ "status": true, "message": MESSAGE }));
}

async fn known_and_unknown_addresses_get_the_same_response(app: App) {
    sign_up(&app, "ada").await;
    for email in ["ada@example.com", "nobody@example.com"] {
        request_mail(&app, json!({ "email": email })).await;
    }
    assert_eq!(count(&app, "outbox WHERE kind = 'password_reset'"), 2);
    reset_mails(&app, "ada@example.com", 1).await;
    until_nothing_waits(&app).await;
    assert!(app.mails_to("nobody@example.com").is_empty());
}

async fn the_link_leads_to_the_page_of_this_server_and_then_to_redirect_to(engine: Engine) {
    let app = start_app(engine);
    for (name, redirect_to, query) in [
        ("ada", json!(null), ""),
        ("bob", json!(""), ""),
        (
            "cleo",
            json!("/set password?a=b"),
            "?callbackURL=%2Fset%20password%3Fa%3Db",
        ),
        (
            "dora",
            json!("https://app.example.com/set?a=b#c"),
            "?callbackURL=https%3A%2F%2Fapp%2Eexample%2Ecom%2Fset%3Fa%3Db%23c",
        ),
    ] {
        sign_up(&app, name).await;
        let email = format!("{name}@example.com");
        let mut body = json!({ "email": email });
        if !redirect_to.is_null() {
            body["redirectTo"] = redirect_to;
        }
        request_mail(&app, body).await;
        let mails = reset_mails(&app, &email, 1).await;
        let expected_start = format!("{SERVER_ORIGIN}/reset{}#", query.replace("%20", "%2520"));
        let link = mails[0].link();
        assert!(link.starts_with(&expected_start), "{link}");
    }
}

async fn an_address_is_found_in_any_spelling(app: App) {
    for (registered, requested) in [
        ("o'brien+news@example.com", "O'Brien+News@EXAMPLE.com"),
        ("ada@xn--exmple-cua.de", "Ada@xn--exmple-cua.de"),
    ] {
        let body = json!({ "name": "Ada", "email": registered, "password": PASSWORD });
        app.anonymous().post(SIGN_UP, body).await.ok();
        request_mail(&app, json!({ "email": requested })).await;
        reset_mails(&app, registered, 1).await;
    }
}

async fn the_mail_is_in_the_language_of_the_request_if_the_account_has_none(app: App) {
    for (name, account_language, mail_language) in [("ada", "fr", "de"), ("bob", "en", "en")] {
        let sign_up_request = app.anonymous().post(SIGN_UP, sign_up_body(name));
        let response = sign_up_request.header("accept-language", account_language);
        response.await.ok();
        let email = format!("{name}@example.com");
        let request = app
            .anonymous()
            .post(REQUEST_RESET, json!({ "email": email }));
        request.header("accept-language", "de").await.ok();
        let mails = reset_mails(&app, &email, 1).await;
        assert_eq!(mails[0].header("Content-Language"), mail_language);
    }
}

async fn an_invalid_request_queues_no_mail(app: App) {
    let long_email = format!("{}@{}.example.com", "a".repeat(64), "b".repeat(240));
    for (body, message) in [
        (
            json!({}),
            "[body.email] Invalid input: expected string, received undefined",
        ),
        (
            json!({ "email": 1 }),
            "[body.email] Invalid input: expected string, received number",
        ),
        (
            json!({ "email": "ada" }),
            "[body.email] Invalid email address",
        ),
        (
            json!({ "email": "ada@example.com\r\nBcc: eve@example.com" }),
            "[body.email] Invalid email address",
        ),
        (
            json!({ "email": long_email }),
            "[body.email] Invalid email address",
        ),
        (
            json!({ "email": "ada@example.com", "redirectTo": null }),
            "[body.redirectTo] Invalid input: expected string, received null",
        ),
    ] {
        let response = app.anonymous().post(REQUEST_RESET, body).await;
        assert_error(&response, (400, "VALIDATION_ERROR", message));
    }
    assert_eq!(count(&app, "outbox"), 0);
}

async fn an_untrusted_redirect_url_queues_no_mail(engine: Engine) {
    let app = start_app(engine);
    sign_up(&app, "ada").await;
    for email in ["ada@example.com", "nobody@example.com"] {
        for url in [
            "https://evil.example/",
            "//evil.example",
            "/a\r\nBcc: eve@example.com",
            "myapp://reset",
        ] {
            let body = json!({ "email": email, "redirectTo": url });
            let response = app.anonymous().post(REQUEST_RESET, body).await;
            let expected = (403, "INVALID_REDIRECT_URL", "Invalid redirectURL");
            assert_error(&response, expected);
        }
    }
    let body = json!({ "email": "ada@example.com", "redirectTo": 1 });
    let response = app.anonymous().post(REQUEST_RESET, body).await;
    let message = "Invalid redirectURL: expected a string";
    assert_error(&response, (400, "", message));
    assert_eq!(count(&app, "outbox WHERE kind = 'password_reset'"), 0);
}

async fn a_request_with_a_cookie_needs_a_trusted_origin(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "email": "ada@example.com" });
    let request = app.anonymous().post(REQUEST_RESET, body.clone());
    let request = request.header("cookie", &ada.cookies);
    let response = request.header("origin", "https://evil.example").await;
    assert_error(&response, (403, "INVALID_ORIGIN", "Invalid origin"));
    assert_eq!(count(&app, "outbox WHERE kind = 'password_reset'"), 0);
    ada.post(&app, REQUEST_RESET, body).await.ok();
}

async fn requests_are_limited_per_network(engine: Engine) {
    let app = App::on(engine)
        .behind_proxy()
        .set("max-mail-requests-per-network", "2")
        .start();
    let request = |ip_address: &str| -> Request {
        let body = json!({ "email": "nobody@example.com" });
        let request = app.anonymous().post(REQUEST_RESET, body);
        request.header("x-forwarded-for", ip_address)
    };
    for _ in 0..2 {
        request("192.0.2.1").await.ok();
    }
    let response = request("192.0.2.1").await;
    let message = "Too many requests. Please try again later.";
    assert_error(&response, (429, "", message));
    assert_eq!(response.header("x-retry-after"), Some("3601"));
    assert_eq!(count(&app, "outbox"), 2);
    request("192.0.2.2").await.ok();
    app.clock.advance(Duration::from_secs(60 * 60));
    request("192.0.2.1").await.ok();
}
