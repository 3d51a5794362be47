//! Tests that a verification and a change of the email address make the user's earlier access tokens stale.

use e2e::{App, on_both_engines};
use serde_json::{Value, json};

use super::access::claims_of;
use crate::auth::email_change;
use crate::auth::email_verification as verification;
use crate::sessions::fixtures::{
    ACCOUNT, Device, MAX_REVOCATION_DELAY, get_session, login, refresh, refreshed, until_rejected,
    user_with_device,
};

on_both_engines! {
    a_verification_makes_earlier_tokens_stale_in_every_process,
    a_verification_with_the_password_makes_the_tokens_of_every_session_stale,
    a_change_of_the_address_makes_earlier_tokens_stale_in_every_process,
    a_rejected_proof_makes_no_token_stale,
    a_verification_makes_no_token_of_another_user_stale,
    a_process_that_starts_later_knows_the_stale_tokens,
    a_token_of_better_auth_from_before_the_verification_is_stale,
}

fn version(app: &App, device: &Device) -> u64 {
    claims_of(app, &device.access).claims_version
}

/// Requests a verification mail, and confirms with its token as the caller with this access token.
async fn verify(app: &App, email: &str, access_token: &str) {
    let (mail, _) = verification::requested_mail(app, email).await;
    let caller = app.bearer(access_token);
    verification::confirm(&caller, mail.token()).await.ok();
}

/// Asserts that the first node rejects the token at once, and the other one within [`MAX_REVOCATION_DELAY`].
async fn assert_stale_on_both([changed, other]: [&App; 2], device: &Device) {
    let response = get_session(changed, &device.access).await;
    response.problem(401, "TOKEN_STALE");
    let delay = until_rejected(other, &device.access, "TOKEN_STALE").await;
    assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    for node in [changed, other] {
        let response = node.bearer(device.access.as_str()).get(ACCOUNT).await;
        response.problem(401, "TOKEN_STALE");
    }
}

async fn a_verification_makes_earlier_tokens_stale_in_every_process(node_a: App) {
    let node_b = node_a.another_process().start();
    let (ada, device) = user_with_device(&node_a, "ada").await;
    let claims = claims_of(&node_a, &device.access);
    assert_eq!(
        (claims.email_verified, claims.claims_version),
        (Some(false), 0)
    );
    verify(&node_a, ada.email(), &device.access).await;
    assert_stale_on_both([&node_a, &node_b], &device).await;

    let new_device = refreshed(&node_b, &device).await;
    let claims = claims_of(&node_a, &new_device.access);
    assert_eq!(
        (claims.email_verified, claims.claims_version),
        (Some(true), 1)
    );
    assert_eq!(new_device.session, device.session);
    for node in [&node_a, &node_b] {
        get_session(node, &new_device.access).await.ok();
        let account = node.bearer(new_device.access.as_str()).get(ACCOUNT);
        assert_eq!(account.await.ok()["email_verified"], true);
    }
}

async fn a_verification_with_the_password_makes_the_tokens_of_every_session_stale(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let other_device = login(&app, &ada).await;
    let (mail, _) = verification::requested_mail(&app, ada.email()).await;
    let response = verification::confirm_with_password(&app, mail.token(), ada.password());
    response.await.ok();
    for device in [&device, &other_device] {
        let response = get_session(&app, &device.access).await;
        response.problem(401, "TOKEN_STALE");
        let new_device = refreshed(&app, device).await;
        get_session(&app, &new_device.access).await.ok();
    }
}

async fn a_change_of_the_address_makes_earlier_tokens_stale_in_every_process(node_a: App) {
    let node_b = node_a.another_process().start();
    let (ada, device) = user_with_device(&node_a, "ada").await;
    let other_device = login(&node_b, &ada).await;
    let caller = node_a.bearer(device.access.as_str());
    let caller = caller.with_login(ada.email(), ada.password());
    let (mail, _) = email_change::requested_change(&node_a, &caller, "ada@new.example").await;
    // The request alone makes no token stale.
    get_session(&node_a, &device.access).await.ok();
    email_change::confirm_token(&node_a, mail.token())
        .await
        .ok();
    for old_device in [&device, &other_device] {
        assert_stale_on_both([&node_a, &node_b], old_device).await;
        let new_device = refreshed(&node_b, old_device).await;
        let claims = claims_of(&node_a, &new_device.access);
        assert_eq!(claims.email.as_deref(), Some("ada@new.example"));
        assert_eq!(
            (claims.email_verified, claims.claims_version),
            (Some(true), 1)
        );
        for node in [&node_a, &node_b] {
            let session = get_session(node, &new_device.access).await.ok();
            assert_eq!(session["user"]["email"], "ada@new.example");
        }
    }
}

async fn a_rejected_proof_makes_no_token_stale(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let (mail, _) = verification::requested_mail(&app, ada.email()).await;
    let caller = app.bearer(device.access.as_str());
    for token in ["junk", &mail.token().to_uppercase()] {
        let response = verification::confirm(&caller, token).await;
        response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    }
    let response = verification::confirm_with_password(&app, mail.token(), "not the password");
    response.await.problem(403, "PASSWORD_REQUIRED");
    let response = email_change::confirm_token(&app, mail.token()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    get_session(&app, &device.access).await.ok();
    assert_eq!(version(&app, &refreshed(&app, &device).await), 0);
}

async fn a_verification_makes_no_token_of_another_user_stale(app: App) {
    let (ada, ada_device) = user_with_device(&app, "ada").await;
    let (_, eve_device) = user_with_device(&app, "eve").await;
    verify(&app, ada.email(), &ada_device.access).await;
    let response = get_session(&app, &ada_device.access).await;
    response.problem(401, "TOKEN_STALE");
    get_session(&app, &eve_device.access).await.ok();
    assert_eq!(version(&app, &refreshed(&app, &eve_device).await), 0);
}

async fn a_process_that_starts_later_knows_the_stale_tokens(node_a: App) {
    let (ada, device) = user_with_device(&node_a, "ada").await;
    verify(&node_a, ada.email(), &device.access).await;
    let node_b = node_a.another_process().start();
    let response = get_session(&node_b, &device.access).await;
    response.problem(401, "TOKEN_STALE");
    let response = refresh(&node_b, &device.refresh).await;
    let new_device = Device::from_response(&response.ok());
    get_session(&node_b, &new_device.access).await.ok();
}

/// The session stays, and its next token says that the address is verified.
async fn a_token_of_better_auth_from_before_the_verification_is_stale(app: App) {
    let ada = app.user("ada").await;
    let body = json!({ "email": ada.email(), "password": ada.password() });
    let sign_in = app.anonymous().post("/api/auth/sign-in/email", body).await;
    let session_token = sign_in.ok()["token"].as_str().unwrap().to_owned();
    let browser = app.bearer(session_token);
    let token = async || {
        let body: Value = browser.get("/api/auth/token").await.ok();
        body["token"].as_str().unwrap().to_owned()
    };
    let earlier_token = token().await;
    get_session(&app, &earlier_token).await.ok();
    verify(&app, ada.email(), &earlier_token).await;
    let response = get_session(&app, &earlier_token).await;
    response.problem(401, "TOKEN_STALE");
    let later_token = token().await;
    get_session(&app, &later_token).await.ok();
    assert_eq!(claims_of(&app, &later_token).email_verified, Some(true));
}
