//! Tests who can undo a change of the address, and what happens then.

use std::time::Duration;

use e2e::{App, Client, Engine, Mail, on_both_engines};
use serde_json::json;

use super::{
    assert_rejected, change, change_request, count, credentials, mails_of_kind, stored_email,
    undo_request,
};
use crate::auth::login::LOGIN;
use crate::auth::password_reset;
use crate::better_auth::fixtures as better_auth;
use crate::mail::until_nothing_waits;
use crate::sessions::fixtures::{
    MAX_REVOCATION_DELAY, are_live, get_session, refresh, refreshed, until_rejected,
    user_with_device,
};

on_both_engines! {
    undoing_a_change_restores_the_address_and_requires_a_new_password,
    undoing_a_change_ends_every_session_in_every_process,
    undoing_a_change_ends_more_sessions_than_one_transaction_does,
    the_owner_of_the_oldest_address_wins_by_undoing_all_changes,
    the_owner_of_the_oldest_address_wins_after_a_later_change_was_undone,
    a_thief_cannot_make_the_undo_link_invalid,
    the_notice_of_an_undone_change_is_not_sent,
}

const NEW_PASSWORD: &str = password_reset::NEW_PASSWORD;

async fn assert_login_fails(app: &App, email: &str, password: &str) {
    let response = app
        .anonymous()
        .post(LOGIN, credentials(email, password))
        .await;
    response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
}

async fn undoing_a_change_restores_the_address_and_requires_a_new_password(app: App) {
    let ada = app.user("ada").await;
    let undo_mail = change(&app, &ada, ada.email(), "thief@example.com").await;
    let response = undo_request(&app, undo_mail.token()).await;
    assert!(response.header_values("set-cookie").is_empty());
    assert_eq!(response.ok(), json!({ "success": true }));

    let restored = format!(
        "users WHERE id = '{}' AND email = 'ada@example.com' AND password_hash IS NULL AND \
         updated_at > '2026-11-20 12:57:52'",
        ada.id()
    );
    assert_eq!(count(&app, &restored), 1);
    assert_eq!(count(&app, "email_undos"), 0);
    // Until a new password is chosen, the account looks like one that does not exist.
    for email in [ada.email(), "thief@example.com"] {
        assert_login_fails(&app, email, ada.password()).await;
    }
    let body = json!({ "email": ada.email(), "password": ada.password() });
    let response = app.anonymous().post(better_auth::SIGN_IN, body).await;
    let message = "Invalid email or password";
    better_auth::assert_error(&response, (401, "INVALID_EMAIL_OR_PASSWORD", message));

    let reset_mails = mails_of_kind(&app, ada.email(), "password_reset", 1).await;
    let reset = password_reset::confirm_token(&app, reset_mails[0].token());
    let grant = reset.await.ok();
    assert_eq!(grant["user"]["email"], ada.email());
    assert_eq!(grant["user"]["email_verified"], true);
    let body = credentials(ada.email(), NEW_PASSWORD);
    app.anonymous().post(LOGIN, body).await.ok();
}

async fn undoing_a_change_ends_every_session_in_every_process(app: App) {
    let other_process = app.another_process().start();
    let (ada, device) = user_with_device(&app, "ada").await;
    let browser = {
        let body = json!({ "email": ada.email(), "password": ada.password() });
        let response = app.anonymous().post(better_auth::SIGN_IN, body).await;
        better_auth::Browser::from_response(&response.assert_status(200))
    };
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let caller = app.bearer(device.access.as_str());
    let caller = caller.with_login(ada.email(), ada.password());
    let undo_mail = change(&app, &caller, ada.email(), "thief@example.com").await;
    let device = refreshed(&app, &device).await;
    get_session(&other_process, &device.access).await.ok();

    undo_request(&app, undo_mail.token()).await.ok();
    let response = get_session(&app, &device.access).await;
    response.problem(401, "TOKEN_REVOKED");
    let delay = until_rejected(&other_process, &device.access, "TOKEN_REVOKED").await;
    assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    for process in [&app, &other_process] {
        let response = refresh(process, &device.refresh).await;
        response.problem(401, "SESSION_EXPIRED");
        assert!(!browser.is_signed_in(process).await);
    }
    let revocations = format!("revocations WHERE session_id = '{}'", device.session);
    assert_eq!(count(&app, &revocations), 1);
    assert_eq!(are_live(&app, [&device, &eve_device]), [false, true]);
}

async fn undoing_a_change_ends_more_sessions_than_one_transaction_does(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let caller = app.bearer(device.access.as_str());
    let caller = caller.with_login(ada.email(), ada.password());
    let undo_mail = change(&app, &caller, ada.email(), "thief@example.com").await;
    crate::sessions::fixtures::clone_sessions(&app, &device.session, 450);
    undo_request(&app, undo_mail.token()).await.ok();
    assert_eq!(count(&app, "sessions WHERE revoked_at IS NULL"), 0);
}

/// Changes Ada's address (A) to B and then to C. Returns the mails to A and to B, with the links that undo the changes.
async fn change_twice(app: &App, ada: &Client) -> [Mail; 2] {
    let undo_for_a = change(app, ada, ada.email(), "b@example.com").await;
    let moved_ada = app.login_at(ada, "b@example.com").await;
    let undo_for_b = change(app, &moved_ada, "b@example.com", "c@example.com").await;
    [undo_for_a, undo_for_b]
}

async fn the_owner_of_the_oldest_address_wins_by_undoing_all_changes(app: App) {
    let ada = app.user("ada").await;
    let [undo_for_a, undo_for_b] = change_twice(&app, &ada).await;
    undo_request(&app, undo_for_a.token()).await.ok();
    assert_eq!(stored_email(&app, &ada), ada.email());
    assert_eq!(count(&app, "email_undos"), 0);
    assert_rejected(undo_request(&app, undo_for_b.token()).await);
    assert_eq!(stored_email(&app, &ada), ada.email());
}

async fn the_owner_of_the_oldest_address_wins_after_a_later_change_was_undone(app: App) {
    let ada = app.user("ada").await;
    let [undo_for_a, undo_for_b] = change_twice(&app, &ada).await;
    undo_request(&app, undo_for_b.token()).await.ok();
    assert_eq!(stored_email(&app, &ada), "b@example.com");
    undo_request(&app, undo_for_a.token()).await.ok();
    assert_eq!(stored_email(&app, &ada), ada.email());
    assert_rejected(undo_request(&app, undo_for_b.token()).await);
    mails_of_kind(&app, ada.email(), "password_reset", 1).await;
}

/// The thief knows the password, and receives the mails to the new addresses.
async fn a_thief_cannot_make_the_undo_link_invalid(app: App) {
    let ada = app.user("ada").await;
    let undo_mail = change(&app, &ada, ada.email(), "thief@example.com").await;
    let (reset_mail, _) = password_reset::requested_mail(&app, "thief@example.com").await;
    let reset = password_reset::confirm_token(&app, reset_mail.token());
    let grant = reset.await.ok();
    let thief = app.bearer(grant["access_token"].as_str().unwrap());
    let thief = thief.with_login("thief@example.com", NEW_PASSWORD);
    let second_undo = change(&app, &thief, "thief@example.com", "thief2@example.com").await;
    let thief = app.login_at(&thief, "thief2@example.com").await;
    let body = crate::auth::change_password::passwords_body(NEW_PASSWORD, "the thief's password");
    let change_password = thief.post(crate::sessions::fixtures::CHANGE_PASSWORD, body);
    let grant = change_password.await.ok();
    let thief = app.bearer(grant["access_token"].as_str().unwrap());
    let thief = thief.with_login("thief2@example.com", "the thief's password");
    // The thief can request a change to the owner's address, but the owner would get the mail that confirms it.
    let _accepted = change_request(&thief, ada.email()).await.assert_status(202);
    let (reset_mail, _) = password_reset::requested_mail(&app, "thief2@example.com").await;
    undo_request(&app, second_undo.token()).await.ok();

    undo_request(&app, undo_mail.token()).await.ok();
    assert_eq!(stored_email(&app, &ada), ada.email());
    let response = password_reset::confirm_token(&app, reset_mail.token()).await;
    assert_rejected(response);
    for email in [ada.email(), "thief@example.com", "thief2@example.com"] {
        assert_login_fails(&app, email, "the thief's password").await;
    }
}

async fn the_notice_of_an_undone_change_is_not_sent(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let [undo_for_a, _] = change_twice(&app, &ada).await;
    until_nothing_waits(&app).await;
    let mail_count = app.mails_to("b@example.com").len();
    // The notice to B is to be sent again, as after a failure.
    app.database().execute(
        "UPDATE outbox SET next_attempt_at = '2026-11-20 12:59:00' \
         WHERE kind = 'email_changed' AND recipient = 'b@example.com'",
    );
    undo_request(&app, undo_for_a.token()).await.ok();
    app.clock.advance(Duration::from_secs(120));
    until_nothing_waits(&app).await;
    assert_eq!(app.mails_to("b@example.com").len(), mail_count);
    let attempts = "outbox WHERE kind = 'email_changed' AND attempts = 1";
    assert_eq!(count(&app, attempts), 2);
}
