//! Tests what happens to a mail that could not be sent.

use std::fs;
use std::time::Duration;

use e2e::{App, Engine, log_lines, on_both_engines};

use super::smtp::RefusingServer;
use super::{received, until_nothing_waits};
use crate::auth::password_reset::{confirm_token, request_reset};
use crate::sessions::fixtures::{count, wait_until};

on_both_engines! {
    a_mail_that_could_not_be_sent_is_sent_later,
    a_mail_is_given_up_when_its_token_has_expired,
    a_recipient_that_the_mail_server_refuses_for_good_is_not_tried_again,
    a_mail_server_that_is_busy_is_tried_again,
    a_server_that_cannot_send_mails_is_ready,
}

const MINUTE: Duration = Duration::from_secs(60);

/// Makes it impossible to write mails, with a file at the path of the folder.
fn block_mails(app: &App) {
    fs::write(app.database().mail_folder(), "").unwrap();
}

async fn until_attempts(app: &App, attempts: u64) {
    let failed = format!(
        "outbox WHERE attempts = {attempts} AND leased_until IS NULL AND next_attempt_at IS NOT NULL"
    );
    wait_until("the mail was tried", async || count(app, &failed) == 1).await;
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
    // A second attempt has the date and the expiry of the first one.
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

async fn a_recipient_that_the_mail_server_refuses_for_good_is_not_tried_again(engine: Engine) {
    let smtp = RefusingServer::start("550 5.1.1 no such mailbox");
    let app = App::on(engine).set("smtp-url", &smtp.url()).start();
    let ada = app.user("ada").await;
    let challenge_id = request_reset(&app, ada.email()).await;
    until_nothing_waits(&app).await;
    let lines = log_lines::find(&challenge_id);
    let is_given_up = |line: &String| line.contains("given up") && line.contains("no such mailbox");
    assert!(lines.iter().any(is_given_up), "{lines:?}");
    assert_eq!(smtp.recipients(), ["<ada@example.com>"]);
}

async fn a_mail_server_that_is_busy_is_tried_again(engine: Engine) {
    let smtp = RefusingServer::start("451 4.7.1 come back later");
    let app = App::on(engine).set("smtp-url", &smtp.url()).start();
    let ada = app.user("ada").await;
    request_reset(&app, ada.email()).await;
    until_attempts(&app, 1).await;
    app.clock.advance(MINUTE);
    until_attempts(&app, 2).await;
    assert_eq!(smtp.recipients().len(), 2);
}

async fn a_server_that_cannot_send_mails_is_ready(app: App) {
    let ada = app.user("ada").await;
    block_mails(&app);
    request_reset(&app, ada.email()).await;
    until_attempts(&app, 1).await;
    app.anonymous().get("/readyz").await.ok();
}
