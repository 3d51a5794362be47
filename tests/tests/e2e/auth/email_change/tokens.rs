//! Tests which tokens change the address.

use std::time::Duration;

use auth_core::mail_token::MailPurpose;
use e2e::{App, Engine, on_both_engines};
use serde_json::json;

use super::{
    ACCOUNT, assert_rejected, change_request, confirm_code, confirm_token, count, encode, mail_key,
    requested_change, stored_email, undo_request,
};
use crate::auth::change_password::passwords_body;
use crate::auth::password_reset;
use crate::sessions::fixtures::CHANGE_PASSWORD;

on_both_engines! {
    a_token_changes_the_address_only_once,
    a_change_makes_every_other_token_of_the_user_invalid,
    a_token_expires_an_hour_after_the_request,
    a_changed_token_is_rejected,
    a_token_of_another_user_or_for_another_purpose_is_rejected,
    a_token_for_a_change_permits_nothing_else,
    a_token_is_rejected_after_the_password_was_changed_or_reset,
    a_token_is_rejected_after_the_address_was_changed,
    a_token_of_a_deleted_account_is_rejected,
    a_token_stays_valid_while_the_secret_is_rotated,
}

async fn a_token_changes_the_address_only_once(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_change(&app, &ada, "new@example.com").await;
    confirm_token(&app, mail.token()).await.ok();
    assert_rejected(confirm_token(&app, mail.token()).await);
    assert_rejected(confirm_code(&app, &challenge_id, mail.code()).await);
    assert_eq!(count(&app, "email_undos"), 1);
}

async fn a_change_makes_every_other_token_of_the_user_invalid(app: App) {
    let ada = app.user("ada").await;
    let (reset_mail, _) = password_reset::requested_mail(&app, ada.email()).await;
    let (first_mail, first_challenge) = requested_change(&app, &ada, "first@example.com").await;
    let (second_mail, _) = requested_change(&app, &ada, "second@example.com").await;
    confirm_token(&app, second_mail.token()).await.ok();
    assert_rejected(confirm_token(&app, first_mail.token()).await);
    assert_rejected(confirm_code(&app, &first_challenge, first_mail.code()).await);
    let response = password_reset::confirm_token(&app, reset_mail.token()).await;
    assert_rejected(response);
    assert_eq!(stored_email(&app, &ada), "second@example.com");
}

async fn a_token_expires_an_hour_after_the_request(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_change(&app, &ada, "new@example.com").await;
    // The expiry in the token is rounded down to a whole second; the request was at 51.869123 s.
    app.clock.advance(Duration::from_micros(3_599_130_876));
    let caller = app.bearer(super::login(&app, &ada).await.access);
    let caller = caller.with_login(ada.email(), ada.password());
    app.clock.advance(Duration::from_micros(1));
    assert_rejected(confirm_token(&app, mail.token()).await);
    assert_rejected(confirm_code(&app, &challenge_id, mail.code()).await);
    let (second_mail, _) = requested_change(&app, &caller, "new@example.com").await;
    app.clock.advance(Duration::from_micros(3_599_999_999));
    confirm_token(&app, second_mail.token()).await.ok();
}

async fn a_changed_token_is_rejected(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_change(&app, &ada, "new@example.com").await;
    let token = mail.token();
    let (payload, tag) = token.split_once('.').unwrap();
    for changed_token in [
        "",
        ".",
        &token[..token.len() - 1],
        &token[1..],
        payload,
        &format!("{token}A"),
        &format!("{token}="),
        &format!("{payload}.{payload}"),
        &format!("{tag}.{tag}"),
        &token.to_uppercase(),
        &"A".repeat(1025),
        "\0",
    ] {
        assert_rejected(confirm_token(&app, changed_token).await);
    }
    confirm_token(&app, token).await.ok();
}

async fn a_token_of_another_user_or_for_another_purpose_is_rejected(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    requested_change(&app, &ada, "ada@new.example").await;
    requested_change(&app, &eve, "eve@new.example").await;
    let (ada_key, eve_key) = (mail_key(&app, &ada), mail_key(&app, &eve));
    let new_email = "stolen@example.com";
    let change = (MailPurpose::EmailChange, new_email);
    let of_ada = |content| encode(&app, content, ada.id(), ada.email(), &ada_key);
    for token in [
        encode(&app, change, ada.id(), eve.email(), &eve_key),
        encode(&app, change, ada.id(), ada.email(), &eve_key),
        encode(&app, change, ada.id(), eve.email(), &ada_key),
        encode(&app, change, ada.id(), new_email, &ada_key),
        encode(&app, change, "nobody", ada.email(), &ada_key),
        encode(&app, change, "\0", ada.email(), &ada_key),
        of_ada((MailPurpose::PasswordReset, new_email)),
        of_ada((MailPurpose::EmailVerification, new_email)),
        of_ada((MailPurpose::EmailChangeUndo, new_email)),
        of_ada((MailPurpose::AccountDeletion, new_email)),
        // No address, and a text that is no address.
        of_ada((MailPurpose::EmailChange, "")),
        of_ada((MailPurpose::EmailChange, "a\0@b")),
    ] {
        assert_rejected(confirm_token(&app, &token).await);
    }
    assert_eq!(stored_email(&app, &ada), ada.email());
    confirm_token(&app, &of_ada(change)).await.ok();
    assert_eq!(stored_email(&app, &ada), new_email);
}

async fn a_token_for_a_change_permits_nothing_else(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_change(&app, &ada, "new@example.com").await;
    let response = password_reset::confirm_token(&app, mail.token()).await;
    assert_rejected(response);
    assert_rejected(undo_request(&app, mail.token()).await);
    confirm_token(&app, mail.token()).await.ok();
}

async fn a_token_is_rejected_after_the_password_was_changed_or_reset(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_change(&app, &ada, "new@example.com").await;
    let body = passwords_body(ada.password(), "the third good password");
    ada.post(CHANGE_PASSWORD, body).await.ok();
    assert_rejected(confirm_token(&app, mail.token()).await);

    let eve = app.user("eve").await;
    let (mail, _) = requested_change(&app, &eve, "new@example.com").await;
    let (reset_mail, _) = password_reset::requested_mail(&app, eve.email()).await;
    let reset = password_reset::confirm_token(&app, reset_mail.token());
    reset.await.ok();
    assert_rejected(confirm_token(&app, mail.token()).await);
    assert_eq!(count(&app, "users WHERE email = 'new@example.com'"), 0);
}

async fn a_token_is_rejected_after_the_address_was_changed(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_change(&app, &ada, "new@example.com").await;
    // The statement changes the address, but not the mail key.
    app.database()
        .execute("UPDATE users SET email = 'lovelace@example.com'");
    assert_rejected(confirm_token(&app, mail.token()).await);
    assert_rejected(confirm_code(&app, &challenge_id, mail.code()).await);
    assert_eq!(stored_email(&app, &ada), "lovelace@example.com");
}

async fn a_token_of_a_deleted_account_is_rejected(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_change(&app, &ada, "new@example.com").await;
    let body = json!({ "password": ada.password() });
    ada.delete(ACCOUNT).body(body).await.ok();
    assert_rejected(confirm_token(&app, mail.token()).await);
    assert_rejected(confirm_code(&app, &challenge_id, mail.code()).await);
    app.user("ada").await;
    assert_rejected(confirm_token(&app, mail.token()).await);
}

async fn a_token_stays_valid_while_the_secret_is_rotated(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let (mail, _) = requested_change(&app, &ada, "new@example.com").await;
    let new_secret = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
    let without_old = app.another_process().set("auth-secret", new_secret).start();
    assert_rejected(confirm_token(&without_old, mail.token()).await);
    let with_old = app
        .another_process()
        .set("auth-secret", new_secret)
        .set("auth-secrets-previous", app.secret())
        .start();
    confirm_token(&with_old, mail.token()).await.ok();
    let response = change_request(&ada, "ada@example.com").await;
    let _accepted = response.assert_status(202);
}
