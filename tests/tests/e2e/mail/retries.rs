//! Tests for how long a mail is tried again, and that every attempt sends the same mail.

use std::time::Duration;

use e2e::{App, DatabaseSession, Engine, log_lines, on_both_engines};

use super::smtp::{Reaction, SmtpServer};
use super::{received, until_attempts, until_nothing_waits, wake_sender};
use crate::auth::password_reset::{confirm_token, request_reset, requested_mail};
use crate::sessions::fixtures::{count, wait_until};

on_both_engines! {
    a_greylisted_mail_arrives_once_when_the_delay_is_over,
    a_mail_whose_acceptance_was_lost_is_sent_again_with_the_same_id,
    a_notice_is_tried_for_two_days_and_then_given_up,
    a_link_is_tried_for_an_hour_and_then_given_up,
    a_mail_whose_token_became_invalid_while_it_was_sent_is_not_tried_again,
    a_mail_that_was_sent_while_the_database_failed_is_not_sent_again,
}

const MINUTE: Duration = Duration::from_secs(60);
const GREYLISTED: Reaction = Reaction::RefuseRecipient("451 4.7.1 greylisted, come back later");

fn server_with_mails_to(engine: Engine, smtp: &SmtpServer) -> App {
    App::on(engine).set("smtp-url", &smtp.url()).start()
}

async fn a_greylisted_mail_arrives_once_when_the_delay_is_over(engine: Engine) {
    let smtp = SmtpServer::start(GREYLISTED);
    let app = server_with_mails_to(engine, &smtp);
    let ada = app.user("ada").await;
    let challenge_id = request_reset(&app, ada.email()).await;
    // The attempts are 0, 1, 3 and 7 minutes after the request. A mail server that greylists for 5 minutes would accept
    // only the last one.
    for (attempts, pause) in [(1, 1), (2, 2), (3, 4)] {
        until_attempts(&app, attempts).await;
        let microsecond = Duration::from_micros(1);
        app.clock
            .advance((pause * MINUTE).saturating_sub(microsecond));
        wake_sender(&app).await;
        let nobodys_mails =
            "outbox WHERE recipient = 'nobody@example.com' AND next_attempt_at IS NULL";
        wait_until("the sender was awake", async || {
            count(&app, nobodys_mails) == 1
        })
        .await;
        assert_eq!(smtp.recipients().len() as u64, attempts);
        if attempts == 3 {
            smtp.react(Reaction::Accept);
        }
        app.clock.advance(Duration::from_micros(1));
        wake_sender(&app).await;
    }
    until_nothing_waits(&app).await;
    assert_eq!(smtp.recipients().len(), 4);
    assert_eq!(smtp.headers("To"), [ada.email()]);
    assert_eq!(
        smtp.headers("Message-ID"),
        [format!("<{challenge_id}@api.example>")]
    );
    // `Date` is the time of the request, not of the attempt.
    assert_eq!(smtp.headers("Date"), ["Fri, 20 Nov 2026 12:57:51 +0000"]);
}

async fn a_mail_whose_acceptance_was_lost_is_sent_again_with_the_same_id(engine: Engine) {
    let smtp = SmtpServer::start(Reaction::LoseReply);
    let app = server_with_mails_to(engine, &smtp);
    let ada = app.user("ada").await;
    let challenge_id = request_reset(&app, ada.email()).await;
    until_attempts(&app, 1).await;
    smtp.react(Reaction::Accept);
    app.clock.advance(MINUTE);
    until_nothing_waits(&app).await;
    let message_id = format!("<{challenge_id}@api.example>");
    assert_eq!(smtp.headers("Message-ID"), [message_id.clone(), message_id]);
    let mails = smtp.mails();
    // Only the boundary between the parts of the mail differs.
    let link = |mail: &String| {
        mail.lines()
            .find(|line| line.contains("/reset#"))
            .unwrap()
            .to_owned()
    };
    assert_eq!(link(&mails[0]), link(&mails[1]));
    assert_eq!(mails[0].len(), mails[1].len());
}

async fn a_notice_is_tried_for_two_days_and_then_given_up(engine: Engine) {
    let with_folder = App::on(engine).start();
    let ada = with_folder.user("ada").await;
    let (mail, _) = requested_mail(&with_folder, ada.email()).await;
    let smtp = SmtpServer::start(GREYLISTED);
    confirm_token(&with_folder, mail.token()).await.ok();
    received(&with_folder, ada.email(), 2).await;
    until_nothing_waits(&with_folder).await;
    let app = with_folder
        .another_process()
        .set("smtp-url", &smtp.url())
        .start();
    let database = app.database();
    let notice_id = "SELECT id FROM outbox WHERE kind = 'password_changed'";
    let notice_id = database.value(notice_id).unwrap();
    drop(with_folder);
    database.execute(
        "UPDATE outbox SET attempts = 0, next_attempt_at = created_at WHERE kind = 'password_changed'",
    );
    // Pauses of 1, 2, 4, 8, 16 and 32 minutes, then of an hour: after 53 attempts the next one would be too late.
    for attempts in 1..53_u32 {
        until_attempts(&app, attempts.into()).await;
        app.clock
            .advance(2_u32.saturating_pow(attempts - 1).min(60) * MINUTE);
        wake_sender(&app).await;
    }
    until_nothing_waits(&app).await;
    assert_eq!(count(&app, "outbox WHERE attempts = 53"), 1);
    assert_eq!(smtp.recipients(), vec!["<ada@example.com>"; 53]);
    let lines = log_lines::find(&notice_id);
    let is_given_up = |line: &&String| line.contains("given up") && line.contains("failures=53");
    assert_eq!(lines.iter().filter(is_given_up).count(), 1, "{lines:?}");
    // A request on the third day sends its own mail, and the notice is not tried again.
    app.clock.advance(180 * MINUTE);
    smtp.react(Reaction::Accept);
    request_reset(&app, ada.email()).await;
    until_nothing_waits(&app).await;
    assert_eq!(smtp.mails().len(), 1);
    assert!(smtp.mails()[0].contains("/reset#"));
}

async fn a_link_is_tried_for_an_hour_and_then_given_up(engine: Engine) {
    let smtp = SmtpServer::start(GREYLISTED);
    let app = server_with_mails_to(engine, &smtp);
    let ada = app.user("ada").await;
    let challenge_id = request_reset(&app, ada.email()).await;
    for attempts in 1..6_u32 {
        until_attempts(&app, attempts.into()).await;
        app.clock.advance(2_u32.pow(attempts - 1) * MINUTE);
        wake_sender(&app).await;
    }
    // The sixth attempt is after 31 minutes, and the next one would be after 63.
    until_nothing_waits(&app).await;
    assert_eq!(smtp.recipients().len(), 6);
    let lines = log_lines::find(&challenge_id);
    assert!(lines[5].contains("given up"), "{lines:?}");
}

/// Waits until this many recipients were named to the mail server.
async fn until_tried(smtp: &SmtpServer, attempts: usize) {
    wait_until("the mail is being sent", async || {
        smtp.recipients().len() == attempts
    })
    .await;
}

async fn a_mail_whose_token_became_invalid_while_it_was_sent_is_not_tried_again(engine: Engine) {
    let smtp = SmtpServer::start(Reaction::Accept);
    let app = server_with_mails_to(engine, &smtp);
    let ada = app.user("ada").await;
    request_reset(&app, ada.email()).await;
    until_nothing_waits(&app).await;
    let mails = smtp.mails();
    let link = mails[0].lines().find(|line| line.contains("/reset#"));
    let (_, token) = link.unwrap().split_once('#').unwrap();

    smtp.react(Reaction::Silence);
    let second_id = request_reset(&app, ada.email()).await;
    until_tried(&smtp, 2).await;
    confirm_token(&app, token).await.ok();
    smtp.react(GREYLISTED);
    let count_lines = async || log_lines::find(&second_id).len();
    wait_until("the second mail was refused", async || {
        count_lines().await == 1
    })
    .await;
    smtp.react(Reaction::Accept);
    app.clock.advance(MINUTE);
    wake_sender(&app).await;
    until_nothing_waits(&app).await;
    // The notice of the change has arrived, and no second link.
    let links = smtp
        .mails()
        .iter()
        .filter(|mail| mail.contains("/reset#"))
        .count();
    assert_eq!((smtp.mails().len(), links), (2, 1));
}

async fn a_mail_that_was_sent_while_the_database_failed_is_not_sent_again(engine: Engine) {
    let smtp = SmtpServer::start(Reaction::Silence);
    let app = server_with_mails_to(engine, &smtp);
    let ada = app.user("ada").await;
    let challenge_id = request_reset(&app, ada.email()).await;
    until_tried(&smtp, 1).await;
    let mut blocking_transaction = app.database().open_session();
    blocking_transaction.execute(match &blocking_transaction {
        DatabaseSession::Sqlite(_) => "BEGIN IMMEDIATE",
        DatabaseSession::Postgres(_) => "BEGIN; LOCK TABLE outbox IN EXCLUSIVE MODE",
    });
    smtp.react(Reaction::Accept);
    let is_logged =
        |line: &String| line.contains("cannot be stored") && line.contains(&challenge_id);
    wait_until("the database has failed", async || {
        log_lines::find(&challenge_id).iter().any(is_logged)
    })
    .await;
    blocking_transaction.execute("COMMIT");
    until_nothing_waits(&app).await;
    assert_eq!(count(&app, "outbox WHERE leased_until IS NOT NULL"), 0);
    assert_eq!(smtp.mails().len(), 1);
}
