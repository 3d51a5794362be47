//! Tests which tokens reset a password.

use std::time::Duration;

use auth_core::mail_token::{MailPurpose, MailToken, MailTokens};
use auth_core::{Keyring, Secret};
use e2e::{App, Engine, on_both_engines};
use futures_util::future::join_all;

use super::{NEW_PASSWORD, assert_password, confirm_code, confirm_token, requested_mail};
use crate::auth::change_password::passwords_body;
use crate::sessions::fixtures::{CHANGE_PASSWORD, count, login};

on_both_engines! {
    a_token_resets_the_password_only_once,
    one_of_fifty_parallel_resets_wins,
    a_reset_makes_every_other_token_and_code_invalid,
    a_token_expires_an_hour_after_the_request,
    a_changed_token_is_rejected,
    a_token_of_another_user_or_for_another_purpose_is_rejected,
    a_token_is_rejected_after_the_address_or_the_password_was_changed,
    a_token_of_a_deleted_account_is_rejected,
    a_token_stays_valid_while_the_secret_is_rotated,
}

async fn assert_rejected(app: &App, token: &str) {
    let response = confirm_token(app, token).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
}

async fn a_token_resets_the_password_only_once(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    confirm_token(&app, mail.token()).await.ok();
    let session_count = count(&app, "sessions");
    assert_rejected(&app, mail.token()).await;
    assert_eq!(count(&app, "sessions"), session_count);
    assert_password(&app, ada.email(), NEW_PASSWORD, ada.password()).await;
}

async fn one_of_fifty_parallel_resets_wins(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    let with_token = (0..40).map(|_| confirm_token(&app, mail.token()).into_future());
    let with_code = (0..10).map(|_| confirm_code(&app, &challenge_id, mail.code()).into_future());
    let responses = join_all(with_token.chain(with_code)).await;
    let (successes, failures): (Vec<_>, Vec<_>) = responses
        .into_iter()
        .partition(|response| response.status() == 200);
    assert_eq!(successes.len(), 1);
    for response in failures {
        response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    }
    assert_eq!(count(&app, "sessions WHERE revoked_at IS NULL"), 1);
    assert_eq!(count(&app, "outbox WHERE kind = 'password_changed'"), 1);
}

async fn a_reset_makes_every_other_token_and_code_invalid(app: App) {
    let ada = app.user("ada").await;
    let (first_mail, first_challenge) = requested_mail(&app, ada.email()).await;
    app.clock.advance(Duration::from_secs(1));
    let (second_mail, _) = requested_mail(&app, ada.email()).await;
    confirm_token(&app, second_mail.token()).await.ok();
    assert_rejected(&app, first_mail.token()).await;
    let response = confirm_code(&app, &first_challenge, first_mail.code()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    app.clock.advance(Duration::from_secs(1));
    let (third_mail, _) = requested_mail(&app, ada.email()).await;
    confirm_token(&app, third_mail.token()).await.ok();
}

async fn a_token_expires_an_hour_after_the_request(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    // The expiry in the token is rounded down to a whole second; the request was at 51.869 s.
    app.clock.advance(Duration::from_millis(3_599_130));
    let (second_mail, _) = requested_mail(&app, ada.email()).await;
    app.clock.advance(Duration::from_millis(1));
    assert_rejected(&app, mail.token()).await;
    let response = confirm_code(&app, &challenge_id, mail.code()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    app.clock.advance(Duration::from_secs(3598));
    confirm_token(&app, second_mail.token()).await.ok();
}

async fn a_changed_token_is_rejected(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let token = mail.token();
    let (payload, tag) = token.split_once('.').unwrap();
    let swapped_tag: String = tag.chars().rev().collect();
    for changed_token in [
        "",
        ".",
        &token[..token.len() - 1],
        &token[1..],
        payload,
        &format!("{token}A"),
        &format!("{token}="),
        &format!(" {token}"),
        &format!("{payload}.{swapped_tag}"),
        &format!("{payload}.{tag}.{tag}"),
        &token.to_uppercase(),
        &"A".repeat(1025),
        "\0",
    ] {
        assert_rejected(&app, changed_token).await;
    }
    confirm_token(&app, token).await.ok();
}

fn mail_tokens(app: &App) -> MailTokens {
    MailTokens::new(&Keyring::new(Secret::new(app.secret()).unwrap()))
}

async fn a_token_of_another_user_or_for_another_purpose_is_rejected(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    for user in [&ada, &eve] {
        requested_mail(&app, user.email()).await;
    }
    let mail_key = |email: &str| {
        let query = format!("SELECT mail_key FROM users WHERE email = '{email}'");
        app.database().value(&query).unwrap()
    };
    let encode = |purpose, user_id: &str, email: &str, key: &str| {
        let token = MailToken {
            purpose,
            user_id: user_id.to_owned(),
            expires_at: 4_000_000_000,
            detail: String::new(),
        };
        mail_tokens(&app).encode(&token, email, key).unwrap()
    };
    let (ada_key, eve_key) = (mail_key(ada.email()), mail_key(eve.email()));
    assert_ne!(ada_key, eve_key);
    let reset = MailPurpose::PasswordReset;
    for token in [
        encode(reset, ada.id(), eve.email(), &eve_key),
        encode(reset, ada.id(), ada.email(), &eve_key),
        encode(reset, ada.id(), eve.email(), &ada_key),
        encode(reset, "nobody", ada.email(), &ada_key),
        encode(reset, "\0", ada.email(), &ada_key),
        encode(
            MailPurpose::EmailVerification,
            ada.id(),
            ada.email(),
            &ada_key,
        ),
        encode(
            MailPurpose::AccountDeletion,
            ada.id(),
            ada.email(),
            &ada_key,
        ),
    ] {
        assert_rejected(&app, &token).await;
    }
    let right_token = encode(reset, ada.id(), ada.email(), &ada_key);
    confirm_token(&app, &right_token).await.ok();
}

async fn a_token_is_rejected_after_the_address_or_the_password_was_changed(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    app.database()
        .execute("UPDATE users SET email = 'lovelace@example.com'");
    assert_rejected(&app, mail.token()).await;
    app.database()
        .execute("UPDATE users SET email = 'ada@example.com'");

    let body = passwords_body(ada.password(), "the third good password");
    let device = login(&app, &ada).await;
    let bearer = app.bearer(device.access);
    bearer.post(CHANGE_PASSWORD, body).await.ok();
    assert_rejected(&app, mail.token()).await;
    app.clock.advance(Duration::from_secs(1));
    let (second_mail, _) = requested_mail(&app, ada.email()).await;
    confirm_token(&app, second_mail.token()).await.ok();
}

async fn a_token_of_a_deleted_account_is_rejected(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    let body = serde_json::json!({ "password": ada.password() });
    let request = ada.request("DELETE", "/api/auth/account").body(body);
    request.await.ok();
    assert_rejected(&app, mail.token()).await;
    let response = confirm_code(&app, &challenge_id, mail.code()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    // Another account with the address has another id and another mail key.
    app.user("ada").await;
    assert_rejected(&app, mail.token()).await;
}

async fn a_token_stays_valid_while_the_secret_is_rotated(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    let new_secret = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
    let without_old = app.another_process().set("auth-secret", new_secret).start();
    let with_old = app
        .another_process()
        .set("auth-secret", new_secret)
        .set("auth-secrets-previous", app.secret())
        .start();
    assert_rejected(&without_old, mail.token()).await;
    let response = confirm_code(&without_old, &challenge_id, mail.code()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    confirm_code(&with_old, &challenge_id, mail.code())
        .await
        .ok();
}
