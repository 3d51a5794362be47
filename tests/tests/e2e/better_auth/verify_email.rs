//! Tests `GET /api/auth/verify-email`, which never verifies an address.

use std::time::Duration;

use e2e::{App, Engine, on_both_engines};

use super::fixtures::*;
use crate::auth::email_verification::{confirm_with_password, is_verified, requested_mail};
use crate::auth::password_reset;

on_both_engines! {
    an_invalid_token_is_rejected,
    a_browser_with_a_token_of_a_mail_is_sent_to_our_page,
    a_client_that_shows_no_pages_gets_an_error,
    an_expired_token_is_reported,
    an_untrusted_callback_url_is_rejected,
}

const VERIFY: &str = "/api/auth/verify-email";
const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn an_invalid_token_is_rejected(app: App) {
    sign_up(&app, "ada").await;
    let (reset_mail, _) = password_reset::requested_mail(&app, "ada@example.com").await;
    let build_request = |query: &str| {
        let request = app.anonymous().get(&format!("{VERIFY}?{query}"));
        request.header("accept", HTML)
    };
    for token in ["x", "", reset_mail.token()] {
        assert_error(
            &build_request(&format!("token={token}")).await,
            (401, "INVALID_TOKEN", "Invalid token"),
        );
        for (callback_url, location) in [
            ("%2Fwelcome", "/welcome?error=INVALID_TOKEN"),
            (
                "%2Fwelcome%3Fa%3Db%23c",
                "/welcome?a=b&error=INVALID_TOKEN#c",
            ),
        ] {
            let query = format!("token={token}&callbackURL={callback_url}");
            let response = build_request(&query).await;
            let response = response.assert_status(302);
            assert_eq!(response.header("location"), Some(location));
        }
    }
    let message = "[query.token] Invalid input: expected string, received undefined";
    assert_error(&build_request("").await, (400, "VALIDATION_ERROR", message));
}

async fn a_browser_with_a_token_of_a_mail_is_sent_to_our_page(engine: Engine) {
    let app = App::on(engine)
        .set("public-url", "https://api.example")
        .set("allowed-origins", "https://app.example")
        .start();
    sign_up(&app, "ada").await;
    let (mail, _) = requested_mail(&app, "ada@example.com").await;
    let token = mail.token();
    for (callback_url, page_query) in [
        ("", ""),
        ("&callbackURL=%2Fdone", "?callbackURL=%2Fdone"),
        (
            "&callbackURL=https%3A%2F%2Fapp.example%2Fdone",
            "?callbackURL=https%3A%2F%2Fapp%2Eexample%2Fdone",
        ),
    ] {
        let request = app
            .anonymous()
            .get(&format!("{VERIFY}?token={token}{callback_url}"));
        let response = request.header("accept", HTML).await.assert_status(302);
        let page = format!("https://api.example/verify{page_query}#{token}");
        assert_eq!(response.header("location"), Some(page.as_str()));
        assert_eq!(response.header_values("set-cookie"), [""; 0]);
    }
    assert!(!is_verified(&app, "ada@example.com"));
    let response = confirm_with_password(&app, token, PASSWORD).await;
    response.ok();
}

async fn a_client_that_shows_no_pages_gets_an_error(app: App) {
    let ada = sign_up(&app, "ada").await;
    let (mail, _) = requested_mail(&app, "ada@example.com").await;
    for callback_url in ["", "&callbackURL=%2Fdone"] {
        let path = format!("{VERIFY}?token={}{callback_url}", mail.token());
        for request in [
            app.anonymous().get(&path),
            app.anonymous().get(&path).header("accept", "*/*"),
            ada.get(&app, &path).header("accept", "application/json"),
        ] {
            let message =
                "Open the link of the mail in a browser: the user confirms the address there";
            assert_error(&request.await, (403, "CONFIRMATION_REQUIRED", message));
        }
    }
    assert!(!is_verified(&app, "ada@example.com"));
}

async fn an_expired_token_is_reported(app: App) {
    sign_up(&app, "ada").await;
    let (mail, _) = requested_mail(&app, "ada@example.com").await;
    app.clock.advance(Duration::from_secs(24 * 60 * 60));
    let request = |query: &str| {
        let path = format!("{VERIFY}?token={}{query}", mail.token());
        app.anonymous().get(&path).header("accept", HTML)
    };
    assert_error(&request("").await, (401, "TOKEN_EXPIRED", "Token expired"));
    let response = request("&callbackURL=%2Fdone").await.assert_status(302);
    let location = response.header("location");
    assert_eq!(location, Some("/done?error=TOKEN_EXPIRED"));
}

async fn an_untrusted_callback_url_is_rejected(app: App) {
    sign_up(&app, "ada").await;
    let (mail, _) = requested_mail(&app, "ada@example.com").await;
    for token in [mail.token(), "x"] {
        let path = format!("{VERIFY}?token={token}&callbackURL=https%3A%2F%2Fevil.example");
        let response = app.anonymous().get(&path).header("accept", HTML).await;
        let expected = (403, "INVALID_CALLBACK_URL", "Invalid callbackURL");
        assert_error(&response, expected);
    }
}
