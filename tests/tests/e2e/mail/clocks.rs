//! Tests processes on one database whose clocks differ by an hour.

use std::collections::BTreeSet;
use std::time::Duration;

use e2e::{App, Engine, TestClock, on_both_engines};
use futures_util::future::join_all;

use super::smtp::{Reaction, SmtpServer};
use super::until_nothing_waits;
use crate::auth::password_reset::{confirm_code, confirm_token, request_reset, requested_mail};
use crate::sessions::fixtures::{count, wait_until};

on_both_engines! {
    each_mail_is_sent_at_most_once,
    a_mail_that_one_process_is_sending_is_left_alone_by_a_process_that_is_ahead,
    each_process_judges_the_expiry_by_its_own_clock,
    a_token_of_a_process_that_is_ahead_lives_longer_by_the_difference,
    a_token_is_used_once_on_all_processes_together,
    a_mail_expires_early_if_the_process_that_sends_it_is_ahead,
}

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Starts another process on the database, with a clock that is an hour ahead. For this process, every waiting mail is
/// an hour old.
fn start_ahead(behind: &App, smtp_url: &str) -> App {
    let clock = TestClock::default();
    clock.advance(HOUR);
    let ahead = behind.another_process().clock(clock);
    ahead.set("smtp-url", smtp_url).start()
}

/// Starts a process and a mail server that does not reply, and makes the process send a mail to a user `ada`.
async fn sending_process(engine: Engine) -> (App, SmtpServer) {
    let smtp = SmtpServer::start(Reaction::Silence);
    let app = App::on(engine).set("smtp-url", &smtp.url()).start();
    let ada = app.user("ada").await;
    request_reset(&app, ada.email()).await;
    wait_until("the mail is being sent", async || {
        !smtp.recipients().is_empty()
    })
    .await;
    (app, smtp)
}

async fn each_mail_is_sent_at_most_once(engine: Engine) {
    let smtp = SmtpServer::start(Reaction::Accept);
    let behind = App::on(engine).set("smtp-url", &smtp.url()).start();
    let ahead = start_ahead(&behind, &smtp.url());
    let names: Vec<_> = (0..20).map(|number| format!("user{number}")).collect();
    let users = join_all(names.iter().map(|name| behind.user(name))).await;
    let requests = users.iter().enumerate().map(|(number, user)| {
        let process = if number % 2 == 0 { &behind } else { &ahead };
        request_reset(process, user.email())
    });
    let challenge_ids = join_all(requests).await;
    // The process ahead must itself send the mails of its requests: for the process behind, they are due in an hour.
    until_nothing_waits(&behind).await;
    let sent_ids = smtp.headers("Message-ID");
    let distinct_ids: BTreeSet<_> = sent_ids.iter().cloned().collect();
    assert_eq!(distinct_ids.len(), sent_ids.len(), "{sent_ids:?}");
    let to_message_id = |id: &String| format!("<{id}@api.example>");
    let requested_ids: BTreeSet<_> = challenge_ids.iter().map(to_message_id).collect();
    assert!(distinct_ids.is_subset(&requested_ids), "{sent_ids:?}");
    // All mails that were requested from the process ahead are sent. The other mails may have expired by the clock of
    // that process.
    let ids_of_ahead = challenge_ids.iter().skip(1).step_by(2).map(to_message_id);
    assert!(
        ids_of_ahead
            .collect::<BTreeSet<_>>()
            .is_subset(&distinct_ids)
    );
}

async fn a_mail_that_one_process_is_sending_is_left_alone_by_a_process_that_is_ahead(
    engine: Engine,
) {
    let (behind, _silent_smtp) = sending_process(engine).await;
    let eve = behind.user("eve").await;
    let good_smtp = SmtpServer::start(Reaction::Accept);
    let ahead = start_ahead(&behind, &good_smtp.url());
    // The lease of 15 minutes is measured by the clock of the database, so it has not ended for the process ahead.
    request_reset(&ahead, eve.email()).await;
    wait_until("the other mail is there", async || {
        !good_smtp.mails().is_empty()
    })
    .await;
    assert_eq!(good_smtp.headers("To"), [eve.email()]);
    let is_leased = "outbox WHERE leased_until IS NOT NULL";
    wait_until("one mail is being sent", async || {
        count(&ahead, is_leased) == 1
    })
    .await;
    assert_eq!(count(&ahead, "outbox WHERE attempts = 1"), 2);
}

async fn each_process_judges_the_expiry_by_its_own_clock(engine: Engine) {
    let behind = App::on(engine).start();
    let ada = behind.user("ada").await;
    let (mail, challenge_id) = requested_mail(&behind, ada.email()).await;
    let ahead = start_ahead(&behind, "");
    let expired = confirm_token(&ahead, mail.token()).await;
    expired.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    let expired = confirm_code(&ahead, &challenge_id, mail.code()).await;
    expired.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    confirm_token(&behind, mail.token()).await.ok();
}

async fn a_token_of_a_process_that_is_ahead_lives_longer_by_the_difference(engine: Engine) {
    let behind = App::on(engine).start();
    let ahead = start_ahead(&behind, "");
    let ada = behind.user("ada").await;
    let (mail, _) = requested_mail(&ahead, ada.email()).await;
    let last_second = (2 * HOUR).saturating_sub(Duration::from_secs(1));
    behind.clock.advance(last_second);
    confirm_token(&behind, mail.token()).await.ok();

    let (mail, _) = requested_mail(&ahead, ada.email()).await;
    behind.clock.advance(Duration::from_secs(1));
    let expired = confirm_token(&behind, mail.token()).await;
    expired.problem(400, "INVALID_OR_EXPIRED_TOKEN");
}

async fn a_token_is_used_once_on_all_processes_together(engine: Engine) {
    let behind = App::on(engine).start();
    let ahead = start_ahead(&behind, "");
    let ada = behind.user("ada").await;
    let (mail, _) = requested_mail(&ahead, ada.email()).await;
    let uses = (0..10).map(async |number| {
        let process = if number % 2 == 0 { &behind } else { &ahead };
        confirm_token(process, mail.token()).await.status()
    });
    let mut statuses = join_all(uses).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200, "{statuses:?}");
    assert!(
        statuses[1..].iter().all(|status| *status == 400),
        "{statuses:?}"
    );
}

async fn a_mail_expires_early_if_the_process_that_sends_it_is_ahead(engine: Engine) {
    // The process behind waits for its mail server, so the process ahead takes the second mail.
    let (behind, _silent_smtp) = sending_process(engine).await;
    let eve = behind.user("eve").await;
    let expired_id = request_reset(&behind, eve.email()).await;
    let good_smtp = SmtpServer::start(Reaction::Accept);
    let ahead = start_ahead(&behind, &good_smtp.url());
    let row = format!("outbox WHERE id = '{expired_id}' AND next_attempt_at IS NULL");
    wait_until("the mail has expired", async || count(&ahead, &row) == 1).await;
    assert!(good_smtp.mails().is_empty());
    request_reset(&ahead, eve.email()).await;
    wait_until("a later mail is there", async || {
        good_smtp.mails().len() == 1
    })
    .await;
}
