//! Tests the claim `email_verified` of access tokens. The token of a session has the value in the row of the user, and
//! an exchanged token repeats the claim of the submitted token.

use auth_core::{Claims, Keyring, Secret, TokenVerifier};
use e2e::{App, Client, Engine, Issuer, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::{CHANGE_PASSWORD, Device, get_session, login, refreshed, user_with_device};
use crate::auth::change_password::passwords_body;
use crate::better_auth::fixtures::sign_up;

on_both_engines! {
    tokens_of_a_new_account_say_that_the_email_address_is_not_verified,
    tokens_of_a_verified_account_say_that_the_email_address_is_verified,
    a_refresh_shows_a_change_and_earlier_tokens_stay_valid,
    a_token_of_a_better_auth_session_shows_a_change,
    a_service_token_repeats_the_claim_of_the_submitted_token,
    a_token_without_the_claim_is_accepted,
}

const TOKEN: &str = "/api/auth/token";

fn claims_for(app: &App, audience: &str, token: &str) -> Claims {
    let secret = Secret::new(app.secret()).unwrap();
    let secret = match audience {
        "api" => secret,
        _ => secret.for_audience(audience).unwrap(),
    };
    let verifier = TokenVerifier::new(Keyring::new(secret), "api-server", audience).unwrap();
    verifier.verify(token, app.clock.now()).unwrap()
}

fn email_verified(app: &App, token: &str) -> Option<bool> {
    claims_for(app, "api", token).email_verified
}

fn set_email_verified(app: &App, value: bool) {
    let statement = format!("UPDATE users SET email_verified = {value}");
    app.database().execute(&statement);
}

/// Changes the password, and returns the access token of the response.
async fn token_after_password_change(app: &App, user: &Client, device: &Device) -> String {
    let bearer = app.bearer(device.access.as_str());
    let body = passwords_body(user.password(), "another good password");
    let response = bearer.post(CHANGE_PASSWORD, body).await.ok();
    response["access_token"].as_str().unwrap().to_owned()
}

/// Asserts the claim in the token of a login, of a refresh and of a change of password.
async fn assert_email_verified(app: &App, user: &Client, expected: bool) {
    let device = login(app, user).await;
    assert_eq!(email_verified(app, &device.access), Some(expected), "login");
    let refreshed_device = refreshed(app, &device).await;
    let refreshed_claim = email_verified(app, &refreshed_device.access);
    assert_eq!(refreshed_claim, Some(expected), "refresh");
    let token = token_after_password_change(app, user, &refreshed_device).await;
    let claim = email_verified(app, &token);
    assert_eq!(claim, Some(expected), "change of password");
}

async fn tokens_of_a_new_account_say_that_the_email_address_is_not_verified(app: App) {
    let ada = app.user("ada").await;
    assert_eq!(email_verified(&app, ada.token()), Some(false));
    let body = json!({ "email": "eve@example.com", "password": "correct horse" });
    let response = app.anonymous().post("/api/auth/signup", body).await;
    let token_response = response.created();
    let token = token_response["access_token"].as_str().unwrap();
    assert_eq!(email_verified(&app, token), Some(false));
    assert_email_verified(&app, &ada, false).await;
}

async fn tokens_of_a_verified_account_say_that_the_email_address_is_verified(app: App) {
    let ada = app.user("ada").await;
    set_email_verified(&app, true);
    assert_email_verified(&app, &ada, true).await;
}

async fn a_refresh_shows_a_change_and_earlier_tokens_stay_valid(app: App) {
    let (_, first_device) = user_with_device(&app, "ada").await;
    set_email_verified(&app, true);
    let second_device = refreshed(&app, &first_device).await;
    set_email_verified(&app, false);
    let third_device = refreshed(&app, &second_device).await;
    for (device, expected) in [
        (first_device, false),
        (second_device, true),
        (third_device, false),
    ] {
        assert_eq!(email_verified(&app, &device.access), Some(expected));
        get_session(&app, &device.access).await.ok();
    }
}

async fn a_token_of_a_better_auth_session_shows_a_change(app: App) {
    let ada = sign_up(&app, "ada").await;
    for expected in [false, true, false] {
        set_email_verified(&app, expected);
        let body: Value = ada.get(&app, TOKEN).await.ok();
        let claim = email_verified(&app, body["token"].as_str().unwrap());
        assert_eq!(claim, Some(expected));
    }
}

async fn a_service_token_repeats_the_claim_of_the_submitted_token(engine: Engine) {
    let app = App::on(engine).set("token-audiences", "reports").start();
    let ada = app.user("ada").await;
    set_email_verified(&app, true);
    let device = login(&app, &ada).await;
    let other_issuer_token = Issuer::of(&app).issue(ada.id(), ada.email());
    for (submitted_token, expected) in [
        (ada.token(), Some(false)),
        (device.access.as_str(), Some(true)),
        (other_issuer_token.as_str(), None),
    ] {
        assert_eq!(email_verified(&app, submitted_token), expected);
        let caller = app.bearer(submitted_token);
        let response = caller.post(TOKEN, json!({ "audience": "reports" })).await;
        let body = response.ok();
        let token = body["access_token"].as_str().unwrap();
        let service_claims = claims_for(&app, "reports", token);
        assert_eq!(service_claims.email_verified, expected);
        assert_eq!(service_claims.email.as_deref(), Some(ada.email()));
    }
}

/// A token without the claim `email_verified` can come from an earlier version of the server, before an upgrade.
async fn a_token_without_the_claim_is_accepted(app: App) {
    let ada = app.user("ada").await;
    let token = Issuer::of(&app).issue(ada.id(), ada.email());
    assert_eq!(email_verified(&app, &token), None);
    let session = app.bearer(token).get("/api/auth/session").await.ok();
    assert_eq!(
        session["user"],
        json!({ "id": ada.id(), "email": ada.email(), "roles": [], "claims": {} })
    );
}
