//! Tests which tokens set a password.

use std::time::Duration;

use auth_core::mail_token::{MailPurpose, MailToken, MailTokens};
use auth_core::{Keyring, Secret};
use e2e::{App, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

use super::super::fixtures::*;
use super::super::request_password_reset::requested_mail;
use super::{NEW_PASSWORD, RESET_PASSWORD, assert_password, assert_rejected, reset};
use crate::auth::password_reset::{CONFIRM, confirm_token};
use crate::sessions::fixtures::count;

on_both_engines! {
    a_token_sets_the_password_only_once,
    one_of_parallel_resets_by_both_apis_wins,
    a_reset_makes_the_other_tokens_of_the_user_invalid_in_both_apis,
    a_token_is_valid_until_an_hour_after_the_request,
    a_changed_token_is_rejected,
    a_token_of_another_user_or_for_another_purpose_is_rejected,
    a_token_is_rejected_after_the_password_or_the_address_was_changed,
    a_token_of_a_deleted_user_is_rejected,
}

const EMAIL: &str = "ada@example.com";

async fn a_token_sets_the_password_only_once(app: App) {
    sign_up(&app, "ada").await;
    let mail = requested_mail(&app, EMAIL, 0).await;
    reset(&app, mail.token()).await.ok();
    let body = json!({ "newPassword": "the third good password", "token": mail.token() });
    let response = app.anonymous().post(RESET_PASSWORD, body).await;
    assert_error(&response, super::INVALID_TOKEN);
    assert_password(&app, EMAIL, NEW_PASSWORD, PASSWORD).await;
}

async fn one_of_parallel_resets_by_both_apis_wins(app: App) {
    sign_up(&app, "ada").await;
    let mail = requested_mail(&app, EMAIL, 0).await;
    let own_body = json!({ "token": mail.token(), "new_password": NEW_PASSWORD });
    let by_own_api = (0..10).map(|_| app.anonymous().post(CONFIRM, own_body.clone()));
    let requests = (0..10)
        .map(|_| reset(&app, mail.token()))
        .chain(by_own_api)
        .map(IntoFuture::into_future);
    let mut statuses: Vec<_> = join_all(requests)
        .await
        .iter()
        .map(e2e::Response::status)
        .collect();
    statuses.sort_unstable();
    let mut expected = vec![400; 20];
    expected[0] = 200;
    assert_eq!(statuses, expected);
    assert_eq!(count(&app, "outbox WHERE kind = 'password_changed'"), 1);
}

async fn a_reset_makes_the_other_tokens_of_the_user_invalid_in_both_apis(app: App) {
    sign_up(&app, "ada").await;
    let first_mail = requested_mail(&app, EMAIL, 0).await;
    app.clock.advance(Duration::from_secs(1));
    let second_mail = requested_mail(&app, EMAIL, 1).await;
    assert_ne!(first_mail.token(), second_mail.token());
    reset(&app, second_mail.token()).await.ok();
    assert_rejected(&app, first_mail.token()).await;
    let response = confirm_token(&app, first_mail.token()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
}

async fn a_token_is_valid_until_an_hour_after_the_request(app: App) {
    sign_up(&app, "ada").await;
    let mail = requested_mail(&app, EMAIL, 0).await;
    // The expiry in the token is rounded down to a whole second; the request was at 51.869 s.
    app.clock.advance(Duration::from_millis(3_599_130));
    let second_mail = requested_mail(&app, EMAIL, 1).await;
    app.clock.advance(Duration::from_millis(1));
    assert_rejected(&app, mail.token()).await;
    app.clock.advance(Duration::from_secs(3598));
    reset(&app, second_mail.token()).await.ok();
}

async fn a_changed_token_is_rejected(app: App) {
    sign_up(&app, "ada").await;
    let mail = requested_mail(&app, EMAIL, 0).await;
    let token = mail.token();
    let (payload, tag) = token.split_once('.').unwrap();
    for changed_token in [
        ".",
        payload,
        &token[1..],
        &token[..token.len() - 1],
        &format!("{token}A"),
        &format!(" {token}"),
        &format!("{payload}.{}", tag.chars().rev().collect::<String>()),
        &"A".repeat(1025),
        mail.code(),
        "\0",
    ] {
        assert_rejected(&app, changed_token).await;
    }
    reset(&app, token).await.ok();
}

async fn a_token_of_another_user_or_for_another_purpose_is_rejected(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    requested_mail(&app, EMAIL, 0).await;
    let query = format!("SELECT mail_key FROM users WHERE email = '{EMAIL}'");
    let mail_key = app.database().value(&query).unwrap();
    let tokens = MailTokens::new(&Keyring::new(Secret::new(app.secret()).unwrap()));
    let encode = |purpose, user: &Browser| {
        let token = MailToken {
            purpose,
            user_id: user.user["id"].as_str().unwrap().to_owned(),
            expires_at: 4_000_000_000,
            detail: String::new(),
        };
        tokens.encode(&token, EMAIL, &mail_key).unwrap()
    };
    for purpose in [
        MailPurpose::EmailVerification,
        MailPurpose::EmailChange,
        MailPurpose::EmailChangeUndo,
        MailPurpose::AccountDeletion,
    ] {
        assert_rejected(&app, &encode(purpose, &ada)).await;
    }
    assert_rejected(&app, &encode(MailPurpose::PasswordReset, &eve)).await;
    let right_token = encode(MailPurpose::PasswordReset, &ada);
    reset(&app, &right_token).await.ok();
}

async fn a_token_is_rejected_after_the_password_or_the_address_was_changed(app: App) {
    let ada = sign_up(&app, "ada").await;
    let mail = requested_mail(&app, EMAIL, 0).await;
    let set_email = |email: &str| {
        let statement = format!("UPDATE users SET email = '{email}'");
        app.database().execute(&statement);
    };
    set_email("lovelace@example.com");
    assert_rejected(&app, mail.token()).await;
    set_email(EMAIL);
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW_PASSWORD });
    ada.post(&app, CHANGE_PASSWORD, body).await.ok();
    assert_rejected(&app, mail.token()).await;
}

async fn a_token_of_a_deleted_user_is_rejected(app: App) {
    sign_up(&app, "ada").await;
    let mail = requested_mail(&app, EMAIL, 0).await;
    app.database().execute("DELETE FROM users");
    assert_rejected(&app, mail.token()).await;
    sign_up(&app, "ada").await;
    assert_rejected(&app, mail.token()).await;
}
