//! Tests what happens to a mail that could not be sent.

use std::fs;
use std::time::Duration;

use e2e::{App, log_lines, on_both_engines};

use super::{received, until_attempts, until_nothing_waits};
use crate::auth::password_reset::{confirm_token, request_reset};
use crate::sessions::fixtures::count;

on_both_engines! {
    a_mail_that_could_not_be_sent_is_sent_later,
    a_mail_is_given_up_when_its_token_has_expired,
    a_server_that_cannot_send_mails_is_ready,
}

const MINUTE: Duration = Duration::from_secs(60);

/// Creates a file at the path of the mail folder, so that no mail can be written.
fn block_mails(app: &App) {
    fs::write(app.database().mail_folder(), "").unwrap();
}

async fn a_mail_that_could_not_be_sent_is_sent_later(app: App) {
    let ada = app.user("ada").await;
    block_mails(&app);
    request_reset(&app, ada.email()).await;
    until_attempts(&app, 1).await;
    let next_attempt = "SELECT next_attempt_at FROM outbox";
    let next_time = app.database().value(next_attempt).unwrap();
    assert!(
        next_time.starts_with("2026-11-20 12:58:51.869"),
        "{next_time}"
    );
    app.clock.advance(MINUTE);
    until_attempts(&app, 2).await;
    let next_time = app.database().value(next_attempt).unwrap();
    assert!(
        next_time.starts_with("2026-11-20 13:00:51.869"),
        "{next_time}"
    );

    fs::remove_file(app.database().mail_folder()).unwrap();
    app.clock.advance(2 * MINUTE);
    let mails = received(&app, ada.email(), 1).await;
    // The date is that of the request, not of the attempt.
    assert_eq!(mails[0].header("Date"), "Fri, 20 Nov 2026 12:57:51 +0000");
    confirm_token(&app, mails[0].token()).await.ok();
}

async fn a_mail_is_given_up_when_its_token_has_expired(app: App) {
    let ada = app.user("ada").await;
    block_mails(&app);
    let challenge_id = request_reset(&app, ada.email()).await;
    until_attempts(&app, 1).await;
    app.clock.advance(60 * MINUTE);
    until_nothing_waits(&app).await;
    assert_eq!(count(&app, "outbox WHERE attempts = 1"), 1);
    let lines = log_lines::find(&challenge_id);
    assert!(lines[0].contains("cannot write a mail"), "{lines:?}");
    assert!(lines[1].contains("it has expired"), "{lines:?}");
    assert!(!app.database().mail_folder().is_dir());
}

async fn a_server_that_cannot_send_mails_is_ready(app: App) {
    let ada = app.user("ada").await;
    block_mails(&app);
    request_reset(&app, ada.email()).await;
    until_attempts(&app, 1).await;
    app.anonymous().get("/readyz").await.ok();
}
