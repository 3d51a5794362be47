//! Tests that mails are counted by outcome, and that the outbox is shown.

use std::fs;
use std::time::Duration;

use e2e::{Engine, on_both_engines};

use super::options;
use crate::auth::password_reset::request_reset;
use crate::mail::{received, until_attempts, until_nothing_waits};

on_both_engines! {
    a_sent_mail_is_counted,
    a_mail_that_could_not_be_sent_is_counted_and_waits_in_the_outbox,
}

async fn a_sent_mail_is_counted(engine: Engine) {
    let app = options(engine).start();
    let ada = app.user("ada").await;
    let before = app.metrics().await;
    request_reset(&app, ada.email()).await;
    received(&app, ada.email(), 1).await;
    until_nothing_waits(&app).await;
    let after = app.metrics().await;
    assert_eq!(before.count(r#"mails_total{outcome="sent"}"#), 0);
    assert_eq!(after.count(r#"mails_total{outcome="sent"}"#), 1);
    assert_eq!(after.count("outbox_length"), 0);
    assert_eq!(after.count("outbox_oldest_seconds"), 0);
}

async fn a_mail_that_could_not_be_sent_is_counted_and_waits_in_the_outbox(engine: Engine) {
    let app = options(engine).start();
    let ada = app.user("ada").await;
    // With a file at the path of the mail folder, no mail can be written.
    fs::write(app.database().mail_folder(), "").unwrap();
    request_reset(&app, ada.email()).await;
    until_attempts(&app, 1).await;
    app.clock.advance(Duration::from_secs(59));
    let metrics = app.metrics().await;
    assert_eq!(metrics.count("outbox_length"), 1);
    assert_eq!(metrics.count("outbox_oldest_seconds"), 59);
    assert_eq!(metrics.count(r#"mails_total{outcome="postponed"}"#), 1);
    assert_eq!(metrics.count(r#"mails_total{outcome="sent"}"#), 0);
}
