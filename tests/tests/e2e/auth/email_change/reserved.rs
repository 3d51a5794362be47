//! Tests that an address from which an account was changed stays reserved for its owner as long as the change can be
//! undone.

use std::time::Duration;

use e2e::{App, on_both_engines};
use serde_json::json;

use super::{
    ACCOUNT, assert_rejected, change, confirm_token, count, requested_change, stored_email,
    undo_request,
};
use crate::better_auth::fixtures as better_auth;
use crate::sessions::fixtures::{login, wait_until};

on_both_engines! {
    no_other_user_can_register_with_a_reserved_address,
    no_other_user_can_change_to_a_reserved_address,
    the_owner_can_change_back_to_a_reserved_address,
    a_registration_at_the_same_time_as_a_change_away_from_the_address_fails,
    a_deleted_account_reserves_no_address,
    expired_reservations_are_deleted_and_live_ones_stay,
}

const THREE_DAYS: Duration = Duration::from_secs(72 * 60 * 60);
/// One microsecond less than [`THREE_DAYS`].
const ALMOST_THREE_DAYS: Duration = Duration::from_micros(259_199_999_999);
const MICROSECOND: Duration = Duration::from_micros(1);
const REGISTER: &str = "/api/auth/register";

async fn no_other_user_can_register_with_a_reserved_address(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_change(&app, &ada, "ada@new.example").await;
    confirm_token(&app, mail.token()).await.ok();
    let register = || {
        let body =
            json!({ "email": "ADA@example.com", "password": "correct horse battery staple" });
        app.anonymous().post(REGISTER, body)
    };
    register().await.problem(409, "USER_ALREADY_EXISTS");
    let body = better_auth::sign_up_body("ada");
    let response = app.anonymous().post(better_auth::SIGN_UP, body).await;
    let code = "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL";
    let message = "User already exists. Use another email.";
    better_auth::assert_error(&response, (422, code, message));

    app.clock.advance(ALMOST_THREE_DAYS);
    register().await.problem(409, "USER_ALREADY_EXISTS");
    app.clock.advance(MICROSECOND);
    register().await.created();
}

async fn no_other_user_can_change_to_a_reserved_address(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let (eve_mail, _) = requested_change(&app, &eve, "free@example.com").await;
    let (ada_mail, _) = requested_change(&app, &ada, "free@example.com").await;
    confirm_token(&app, ada_mail.token()).await.ok();
    let ada_login = super::login_of(&app, "free@example.com", ada.password()).await;
    change(&app, &ada_login, "free@example.com", "ada@new.example").await;
    // No account has the address any more, but Ada can get it back.
    assert_eq!(count(&app, "users WHERE email = 'free@example.com'"), 0);
    assert_rejected(confirm_token(&app, eve_mail.token()).await);
    assert_eq!(stored_email(&app, &eve), eve.email());
}

async fn the_owner_can_change_back_to_a_reserved_address(app: App) {
    let ada = app.user("ada").await;
    let first_undo = change(&app, &ada, ada.email(), "ada@new.example").await;
    let moved_ada = app.login_at(&ada, "ada@new.example").await;
    let second_undo = change(&app, &moved_ada, "ada@new.example", ada.email()).await;
    assert_eq!(stored_email(&app, &ada), ada.email());
    // The first link undoes the first change, and with it the second change.
    undo_request(&app, first_undo.token()).await.ok();
    assert_eq!(stored_email(&app, &ada), ada.email());
    assert_rejected(undo_request(&app, second_undo.token()).await);
}

async fn a_registration_at_the_same_time_as_a_change_away_from_the_address_fails(app: App) {
    for round in 0..5 {
        let ada = app.user(&format!("ada{round}")).await;
        let (mail, _) = requested_change(&app, &ada, &format!("new{round}@example.com")).await;
        let body = json!({ "email": ada.email(), "password": "correct horse battery staple" });
        let registrations = (0..4).map(|_| {
            let request = app.anonymous().post(REGISTER, body.clone());
            request.into_future()
        });
        let (confirmed, registered) = tokio::join!(
            confirm_token(&app, mail.token()).into_future(),
            futures_util::future::join_all(registrations),
        );
        confirmed.ok();
        for response in registered {
            response.problem(409, "USER_ALREADY_EXISTS");
        }
    }
}

async fn a_deleted_account_reserves_no_address(app: App) {
    let ada = app.user("ada").await;
    let undo_mail = change(&app, &ada, ada.email(), "ada@new.example").await;
    let body = json!({ "password": ada.password() });
    let moved_ada = app.login_at(&ada, "ada@new.example").await;
    moved_ada.delete(ACCOUNT).body(body).await.ok();
    assert_eq!(count(&app, "email_undos"), 0);
    assert_rejected(undo_request(&app, undo_mail.token()).await);
    app.user("ada").await;
    assert_rejected(undo_request(&app, undo_mail.token()).await);
}

async fn expired_reservations_are_deleted_and_live_ones_stay(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_change(&app, &ada, "ada@new.example").await;
    confirm_token(&app, mail.token()).await.ok();
    let expired_rows = (0..1234).map(|number| {
        let times = "'2026-11-01 00:00:00', '2026-11-04 00:00:00'";
        format!(
            "('key{number}', '{}', 'old@example.com', {times})",
            ada.id()
        )
    });
    app.database().execute(&format!(
        "INSERT INTO email_undos (key, user_id, old_email, created_at, expires_at) VALUES {}",
        expired_rows.collect::<Vec<_>>().join(", ")
    ));
    // Each process purges at its start. Rows stay for a day after their expiry, because clocks differ.
    app.clock
        .advance(THREE_DAYS + Duration::from_secs(24 * 60 * 60));
    let first_process = app.another_process().start();
    wait_until("the purge is complete", async || {
        count(&first_process, "email_undos") == 1
    })
    .await;
    app.clock.advance(MICROSECOND);
    let second_process = app.another_process().start();
    wait_until("the purge is complete", async || {
        count(&second_process, "email_undos") == 0
    })
    .await;
    let ada = ada.with_login("ada@new.example", "ada: correct horse battery staple");
    login(&app, &ada).await;
}
