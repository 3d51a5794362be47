//! Tests which tokens and codes verify an address.

use std::time::Duration;

use e2e::{App, Engine, on_both_engines};
use serde_json::json;

use super::{CONFIRM, confirm, is_verified, requested_mail};
use crate::auth::change_password::passwords_body;
use crate::auth::password_reset;
use crate::sessions::fixtures::{CHANGE_PASSWORD, count, login};

on_both_engines! {
    a_link_and_its_code_are_valid_for_a_day,
    a_token_for_a_password_verifies_no_address,
    a_token_for_an_address_resets_no_password,
    a_confirmation_makes_every_other_token_of_the_account_invalid,
    a_token_is_rejected_after_the_address_or_the_password_was_changed,
    a_token_of_a_deleted_account_is_rejected,
    after_five_wrong_codes_only_the_link_works,
    a_token_stays_valid_while_the_secret_is_rotated,
}

async fn assert_rejected(app: &App, caller: &e2e::Client, token: &str) {
    let response = confirm(caller, token).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    assert!(!is_verified(app, "ada@example.com"));
}

async fn a_link_and_its_code_are_valid_for_a_day(engine: Engine) {
    let app = App::on(engine).set("access-token-ttl", "7d").start();
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    // The expiry in the token is rounded down to a whole second; the request was at 51.869 s.
    app.clock.advance(Duration::from_millis(86_399_130));
    let (second_mail, second_challenge) = requested_mail(&app, ada.email()).await;
    app.clock.advance(Duration::from_millis(1));
    assert_rejected(&app, &ada, mail.token()).await;
    let code = |challenge_id: &str, code: &str| {
        ada.post(
            CONFIRM,
            json!({ "challenge_id": challenge_id, "code": code }),
        )
    };
    let response = code(&challenge_id, mail.code()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    app.clock.advance(Duration::from_secs(86_398));
    code(&second_challenge, second_mail.code()).await.ok();
}

async fn a_token_for_a_password_verifies_no_address(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = password_reset::requested_mail(&app, ada.email()).await;
    assert_rejected(&app, &ada, mail.token()).await;
    let body = json!({ "challenge_id": challenge_id, "code": mail.code() });
    let response = ada.post(CONFIRM, body).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    let response = password_reset::confirm_token(&app, mail.token()).await;
    response.ok();
}

async fn a_token_for_an_address_resets_no_password(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    let response = password_reset::confirm_token(&app, mail.token()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    let response = password_reset::confirm_code(&app, &challenge_id, mail.code()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    confirm(&ada, mail.token()).await.ok();
}

async fn a_confirmation_makes_every_other_token_of_the_account_invalid(app: App) {
    let ada = app.user("ada").await;
    let (reset_mail, _) = password_reset::requested_mail(&app, ada.email()).await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    // Plans another attempt to send the reset mail, as after a failure.
    app.database().execute(
        "UPDATE outbox SET next_attempt_at = '2026-11-20 12:59:00' WHERE kind = 'password_reset'",
    );
    confirm(&ada, mail.token()).await.ok();
    assert_eq!(count(&app, "outbox WHERE next_attempt_at IS NOT NULL"), 0);
    let response = password_reset::confirm_token(&app, reset_mail.token()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
}

async fn a_token_is_rejected_after_the_address_or_the_password_was_changed(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    app.database()
        .execute("UPDATE users SET email = 'lovelace@example.com'");
    assert_rejected(&app, &ada, mail.token()).await;
    app.database()
        .execute("UPDATE users SET email = 'ada@example.com'");
    let body = passwords_body(ada.password(), "another good password");
    ada.post(CHANGE_PASSWORD, body).await.ok();
    let ada = ada.with_login("ada@example.com", "another good password");
    let caller = app.bearer(login(&app, &ada).await.access);
    assert_rejected(&app, &caller, mail.token()).await;
}

async fn a_token_of_a_deleted_account_is_rejected(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    let body = json!({ "password": ada.password() });
    let request = ada.request("DELETE", "/api/auth/account").body(body);
    request.await.ok();
    let new_ada = app.user("ada").await;
    assert_rejected(&app, &new_ada, mail.token()).await;
    let body = json!({ "challenge_id": challenge_id, "code": mail.code() });
    let response = new_ada.post(CONFIRM, body).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
}

async fn after_five_wrong_codes_only_the_link_works(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    let codes = std::iter::repeat_n("WRNGCDE2", 5).chain([mail.code()]);
    for code in codes {
        let body = json!({ "challenge_id": challenge_id, "code": code });
        let response = ada.post(CONFIRM, body).await;
        response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    }
    confirm(&ada, mail.token()).await.ok();
}

async fn a_token_stays_valid_while_the_secret_is_rotated(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let new_secret = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
    let without_old = app.another_process().set("auth-secret", new_secret).start();
    let with_old = app
        .another_process()
        .set("auth-secret", new_secret)
        .set("auth-secrets-previous", app.secret())
        .start();
    let response = super::confirm_with_password(&without_old, mail.token(), ada.password()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    let response = super::confirm_with_password(&with_old, mail.token(), ada.password()).await;
    response.ok();
}
