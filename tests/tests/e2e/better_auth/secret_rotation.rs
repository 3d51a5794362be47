//! Tests that a session cookie of a previous secret is accepted while that secret is configured, and ignored later.

use e2e::{App, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;

on_both_engines! {
    the_cookie_of_a_previous_secret_is_accepted_and_replaced,
    the_cookie_of_a_removed_secret_is_ignored,
}

const NEW_SECRET: &str = "Zb1Nc5Hd3Gf6Sa0PwJ9vRkq2x8Yt4Lm7";

async fn the_cookie_of_a_previous_secret_is_accepted_and_replaced(app: App) {
    let ada = sign_up(&app, "ada").await;
    let options = app.another_process();
    let options = options.set("auth-secrets-previous", app.secret());
    let rotated_app = options.set("auth-secret", NEW_SECRET).start();
    let response = ada.get(&rotated_app, GET_SESSION).await;
    let cookie = response.header_values("set-cookie").concat();
    let session_response = response.ok();
    let new_token = session_response["session"]["token"].as_str().unwrap();
    assert!(session_tokens(NEW_SECRET).is_current(new_token));
    assert!(signed_token(&cookie).starts_with(&format!("{new_token}.")));
    let renewed_browser = Browser {
        cookies: cookie.split(';').next().unwrap().to_owned(),
        token: new_token.to_owned(),
        ..ada.clone()
    };
    let response = renewed_browser.get(&rotated_app, GET_SESSION).await;
    assert!(response.header_values("set-cookie").is_empty());
    assert_eq!(response.ok(), session_response);
    // A token of the previous secret is still accepted in the header, and in the body of `revoke-session`.
    assert!(
        !rotated_app
            .bearer(&ada.token)
            .get(GET_SESSION)
            .await
            .ok()
            .is_null()
    );
    let body = json!({ "token": ada.token });
    renewed_browser
        .post(&rotated_app, "/api/auth/revoke-session", body)
        .await
        .ok();
    assert!(!renewed_browser.is_signed_in(&rotated_app).await);
}

async fn the_cookie_of_a_removed_secret_is_ignored(app: App) {
    let ada = sign_up(&app, "ada").await;
    let rotated_app = app.another_process().set("auth-secret", NEW_SECRET).start();
    let response = ada.get(&rotated_app, GET_SESSION).await;
    assert!(response.header_values("set-cookie").is_empty());
    assert_eq!(response.ok(), Value::Null);
    assert!(ada.is_signed_in(&app).await);
}
