//! Tests what the server does when a mail server refuses a mail, or does not reply.

use std::time::Duration;

use e2e::{App, Engine, log_lines, on_both_engines};

use super::smtp::{Reaction, SmtpServer};
use super::{until_attempts, until_nothing_waits, wake_sender};
use crate::auth::password_reset::{PASSWORD_RESET, request_reset};
use crate::sessions::fixtures::{count, wait_until};

on_both_engines! {
    a_mail_that_the_mail_server_refuses_for_good_is_not_tried_again,
    a_mail_that_the_mail_server_refuses_for_now_is_tried_again,
    a_mail_server_without_an_address_is_tried_again,
    requests_do_not_wait_for_a_silent_mail_server,
    a_refused_recipient_does_not_stop_the_mails_to_others,
}

const MINUTE: Duration = Duration::from_secs(60);

fn server_with_mails_to(engine: Engine, smtp: &SmtpServer) -> App {
    App::on(engine).set("smtp-url", &smtp.url()).start()
}

async fn a_mail_that_the_mail_server_refuses_for_good_is_not_tried_again(engine: Engine) {
    for reaction in [
        Reaction::RefuseRecipient("550 5.1.1 no such mailbox"),
        Reaction::RefuseRecipient("552 5.2.2 mailbox full"),
        Reaction::RefuseText("550 5.7.1 no such mailbox"),
        Reaction::RefuseText("552 5.3.4 mailbox too small"),
    ] {
        let smtp = SmtpServer::start(reaction);
        let app = server_with_mails_to(engine, &smtp);
        let ada = app.user("ada").await;
        let challenge_id = request_reset(&app, ada.email()).await;
        until_nothing_waits(&app).await;
        app.clock.advance(59 * MINUTE);
        // The mail to Eve is sent after every mail that is due, so a second attempt for Ada would succeed before it.
        smtp.react(Reaction::Accept);
        let eve = app.user("eve").await;
        request_reset(&app, eve.email()).await;
        until_nothing_waits(&app).await;
        assert_eq!(smtp.headers("To"), [eve.email()], "{reaction:?}");
        let lines = log_lines::find(&challenge_id);
        let is_given_up = |line: &String| line.contains("given up") && line.contains("mailbox");
        assert!(lines.iter().any(is_given_up), "{lines:?}");
    }
}

async fn a_mail_that_the_mail_server_refuses_for_now_is_tried_again(engine: Engine) {
    for reaction in [
        Reaction::RefuseRecipient("421 4.3.2 shutting down"),
        Reaction::RefuseRecipient("450 4.2.0 greylisted"),
        Reaction::RefuseRecipient("451 4.7.1 come back later"),
        Reaction::RefuseRecipient("530 5.7.0 log in first"),
        Reaction::RefuseRecipient("certainly, and what else?"),
        Reaction::RefuseText("421 4.3.2 shutting down"),
        Reaction::RefuseText("451 4.7.1 come back later"),
        Reaction::RefuseText(""),
    ] {
        let smtp = SmtpServer::start(reaction);
        let app = server_with_mails_to(engine, &smtp);
        let ada = app.user("ada").await;
        request_reset(&app, ada.email()).await;
        until_attempts(&app, 1).await;
        smtp.react(Reaction::Accept);
        app.clock.advance(MINUTE);
        wake_sender(&app).await;
        until_nothing_waits(&app).await;
        assert_eq!(smtp.headers("To"), [ada.email()], "{reaction:?}");
        assert_eq!(smtp.recipients().len(), 2, "{reaction:?}");
    }
}

async fn a_mail_server_without_an_address_is_tried_again(engine: Engine) {
    // A label of 64 characters is invalid, so no name server is asked.
    let url = format!("smtps://{}.example", "x".repeat(64));
    let app = App::on(engine).set("smtp-url", &url).start();
    let ada = app.user("ada").await;
    let challenge_id = request_reset(&app, ada.email()).await;
    until_attempts(&app, 1).await;
    app.clock.advance(MINUTE);
    until_attempts(&app, 2).await;
    let lines = log_lines::find(&challenge_id);
    assert!(lines[0].contains("cannot connect"), "{lines:?}");
    app.anonymous().get("/readyz").await.ok();
}

async fn requests_do_not_wait_for_a_silent_mail_server(engine: Engine) {
    let smtp = SmtpServer::start(Reaction::Silence);
    let app = server_with_mails_to(engine, &smtp);
    let ada = app.user("ada").await;
    request_reset(&app, ada.email()).await;
    wait_until("the mail server is silent", async || {
        !smtp.recipients().is_empty()
    })
    .await;
    for _ in 0..10 {
        request_reset(&app, ada.email()).await;
        request_reset(&app, "nobody@example.com").await;
    }
    app.anonymous().get("/readyz").await.ok();
    // The mail server has not replied, and no other mail was tried.
    assert_eq!(count(&app, "outbox WHERE leased_until IS NOT NULL"), 1);
    assert_eq!(count(&app, "outbox WHERE attempts = 0"), 20);
    assert_eq!(smtp.recipients().len(), 1);
}

async fn a_refused_recipient_does_not_stop_the_mails_to_others(engine: Engine) {
    let smtp = SmtpServer::start(Reaction::RefuseRecipient("451 4.7.1 come back later"));
    let app = server_with_mails_to(engine, &smtp);
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    request_reset(&app, ada.email()).await;
    until_attempts(&app, 1).await;
    smtp.react(Reaction::Accept);
    // The mail to Ada waits for its next attempt.
    request_reset(&app, eve.email()).await;
    wait_until("the mail is there", async || !smtp.mails().is_empty()).await;
    assert_eq!(smtp.headers("To"), [eve.email()]);
    let body = serde_json::json!({ "email": ada.email() });
    let response = app.anonymous().post(PASSWORD_RESET, body).await;
    let _accepted = response.assert_status(202);
    wait_until("both mails are there", async || smtp.mails().len() == 2).await;
    assert_eq!(smtp.headers("To"), [eve.email(), ada.email()]);
}
