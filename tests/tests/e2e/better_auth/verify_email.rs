//! Tests `GET /api/auth/verify-email`, where no token is valid.

use e2e::{App, on_both_engines};

use super::fixtures::*;

on_both_engines! {
    no_token_verifies_an_email_address,
}

async fn no_token_verifies_an_email_address(app: App) {
    sign_up(&app, "ada").await;
    let build_request = |query: &str| {
        let path = format!("/api/auth/verify-email?{query}");
        app.anonymous().get(&path)
    };
    assert_error(
        &build_request("token=x").await,
        (401, "INVALID_TOKEN", "Invalid token"),
    );
    for (callback_url, location) in [
        ("%2Fwelcome", "/welcome?error=INVALID_TOKEN"),
        (
            "%2Fwelcome%3Fa%3Db%23c",
            "/welcome?a=b&error=INVALID_TOKEN#c",
        ),
    ] {
        let response = build_request(&format!("token=x&callbackURL={callback_url}")).await;
        assert_eq!(
            response.assert_status(302).header("location"),
            Some(location)
        );
    }
    let message = "[query.token] Invalid input: expected string, received undefined";
    assert_error(&build_request("").await, (400, "VALIDATION_ERROR", message));
}
