//! Tests what happens to the mails of an account that is deleted.

use std::time::Duration;

use e2e::{App, Client, Engine, on_both_engines};
use serde_json::json;

use super::{received, until_nothing_waits};
use crate::auth::password_reset::requested_mail;
use crate::sessions::fixtures::{count, wait_until};

on_both_engines! {
    the_mails_of_a_deleted_account_are_not_sent_any_more,
    accounts_that_are_registered_and_deleted_cause_at_most_three_mails_an_hour,
    the_rows_of_a_deleted_account_are_deleted_after_a_day,
    a_deletion_with_better_auth_removes_the_user_from_the_outbox,
}

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn delete(user: &Client) {
    let body = json!({ "password": user.password() });
    let request = user.request("DELETE", "/api/auth/account").body(body);
    request.await.ok();
}

async fn the_mails_of_a_deleted_account_are_not_sent_any_more(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    requested_mail(&app, ada.email()).await;
    requested_mail(&app, eve.email()).await;
    // Two more mails of the user, which are still to be sent, one of them to another address.
    app.database().execute(&format!(
        "INSERT INTO outbox (id, kind, recipient, user_id, new_email, callback_url, created_at, expires_at, \
         next_attempt_at, attempts, wrong_codes) VALUES \
         ('00000000-0000-7000-8000-000000000001', 'password_reset', 'ada@example.com', NULL, NULL, NULL, \
         '2026-11-20 12:57:00', '2026-11-20 13:57:00', '2026-11-20 13:00:00', 0, 0), \
         ('00000000-0000-7000-8000-000000000002', 'email_change', 'new@example.com', '{}', 'new@example.com', '/x', \
         '2026-11-20 12:57:00', '2026-11-20 13:57:00', '2026-11-20 13:00:00', 1, 0)",
        ada.id()
    ));
    delete(&ada).await;
    assert_eq!(count(&app, "outbox"), 4);
    let is_anonymous = "user_id IS NULL AND new_email IS NULL AND callback_url IS NULL \
                        AND next_attempt_at IS NULL AND leased_until IS NULL";
    let condition = format!("outbox WHERE recipient <> 'eve@example.com' AND {is_anonymous}");
    assert_eq!(count(&app, &condition), 3);
    assert_eq!(count(&app, "outbox WHERE user_id IS NOT NULL"), 1);
    app.clock.advance(HOUR / 2);
    until_nothing_waits(&app).await;
    assert_eq!(app.mails().len(), 2);
}

async fn accounts_that_are_registered_and_deleted_cause_at_most_three_mails_an_hour(
    engine: Engine,
) {
    let app = App::on(engine)
        .set("email-verification", "optional")
        .start();
    for number in 1..=4 {
        let victim = app.user("victim").await;
        until_nothing_waits(&app).await;
        received(&app, victim.email(), number.min(3)).await;
        delete(&victim).await;
    }
    assert_eq!(count(&app, "users"), 0);
    app.clock.advance(HOUR);
    let victim = app.user("victim").await;
    received(&app, victim.email(), 4).await;
}

async fn the_rows_of_a_deleted_account_are_deleted_after_a_day(app: App) {
    let ada = app.user("ada").await;
    requested_mail(&app, ada.email()).await;
    delete(&ada).await;
    assert_eq!(count(&app, "outbox"), 1);
    app.clock.advance(24 * HOUR + Duration::from_micros(1));
    let next_process = app.another_process().start();
    wait_until("the row is purged", async || {
        count(&next_process, "outbox") == 0
    })
    .await;
}

async fn a_deletion_with_better_auth_removes_the_user_from_the_outbox(engine: Engine) {
    let app = App::on(engine)
        .set("better-auth-delete-user", "true")
        .start();
    let browser = crate::better_auth::fixtures::sign_up(&app, "ada").await;
    requested_mail(&app, "ada@example.com").await;
    let request = browser.post(&app, "/api/auth/delete-user", json!({}));
    request.await.ok();
    assert_eq!(count(&app, "users"), 0);
    assert_eq!(count(&app, "outbox WHERE user_id IS NULL"), 1);
}
