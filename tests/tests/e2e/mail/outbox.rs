//! Tests that each mail of the outbox is sent once, and how long rows stay.

use std::time::Duration;

use e2e::{App, Engine, log_lines, on_both_engines};
use futures_util::future::join_all;

use super::{received, until_nothing_waits, waiting_count};
use crate::auth::password_reset::{confirm_token, request_reset, requested_mail};
use crate::sessions::fixtures::{count, wait_until};

on_both_engines! {
    three_processes_send_each_mail_once,
    a_mail_that_a_stopped_process_left_is_sent_by_the_next_one,
    a_mail_that_another_process_is_sending_is_left_alone,
    a_row_has_neither_the_token_nor_the_code,
    a_mail_whose_token_was_made_invalid_is_not_sent,
    old_rows_are_deleted_and_recent_rows_stay,
    a_full_outbox_ignores_requests_and_responds_as_usual,
}

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn three_processes_send_each_mail_once(app: App) {
    let processes = [app.another_process().start(), app.another_process().start()];
    let names: Vec<_> = (0..20).map(|number| format!("user{number}")).collect();
    let users = join_all(names.iter().map(|name| app.user(name))).await;
    let all_processes: Vec<_> = processes.iter().chain([&app]).collect();
    let requests = users.iter().enumerate().map(|(number, user)| {
        let process = all_processes[number % all_processes.len()];
        request_reset(process, user.email())
    });
    let challenge_ids = join_all(requests).await;
    until_nothing_waits(&app).await;
    for (user, challenge_id) in users.iter().zip(challenge_ids) {
        assert_eq!(app.mails_to(user.email()).len(), 1);
        // A second mail with the same id would replace the file, but would be logged again.
        let is_sent = |line: &&String| line.contains("mail written to");
        let lines = log_lines::find(&challenge_id);
        assert_eq!(lines.iter().filter(is_sent).count(), 1, "{lines:?}");
    }
    assert_eq!(count(&app, "outbox WHERE attempts <> 1"), 0);
    assert_eq!(count(&app, "outbox WHERE leased_until IS NOT NULL"), 0);
}

async fn a_mail_that_a_stopped_process_left_is_sent_by_the_next_one(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let (clock, secret) = (app.clock.clone(), app.secret().to_owned());
    let database = app.stop();
    database.execute(
        "INSERT INTO outbox (id, kind, recipient, created_at, expires_at, next_attempt_at, attempts, wrong_codes)
         VALUES ('00000000-0000-7000-8000-000000000001', 'password_reset', 'ada@example.com',
         '2026-11-20 12:57:00', '2026-11-20 13:57:00', '2026-11-20 12:57:00', 0, 0)",
    );
    let next_process = e2e::Options::new(database)
        .clock(clock)
        .set("auth-secret", &secret)
        .start();
    let mails = received(&next_process, ada.email(), 1).await;
    confirm_token(&next_process, mails[0].token()).await.ok();
}

async fn a_mail_that_another_process_is_sending_is_left_alone(app: App) {
    let ada = app.user("ada").await;
    // The lease is measured by the clock of the database, which is not the clock of the test.
    app.database().execute(
        "INSERT INTO outbox (id, kind, recipient, created_at, expires_at, next_attempt_at, attempts, leased_until, \
         wrong_codes) VALUES ('00000000-0000-7000-8000-000000000001', 'password_reset', 'ada@example.com', \
         '2026-11-20 12:57:00', '2026-11-20 13:57:00', '2026-11-20 12:57:00', 1, '2999-01-01 00:00:00', 0)",
    );
    // This mail is due later than the leased mail, which the sender must pass over.
    let (mail, _) = requested_mail(&app, ada.email()).await;
    wait_until("only the leased mail waits", async || {
        waiting_count(&app) == 1
    })
    .await;
    app.database()
        .execute("UPDATE outbox SET leased_until = '2000-01-01 00:00:00'");
    let mails = received(&app, ada.email(), 2).await;
    assert!(mails.contains(&mail));
    until_nothing_waits(&app).await;
}

async fn a_row_has_neither_the_token_nor_the_code(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let columns = [
        "id",
        "kind",
        "recipient",
        "user_id",
        "language",
        "new_email",
        "callback_url",
        "network",
    ];
    for column in columns {
        let query = format!("SELECT {column} FROM outbox");
        let text = app.database().value(&query).unwrap_or_default();
        assert!(!text.contains(mail.token()), "{column}");
        assert!(!text.contains(mail.code()), "{column}");
    }
}

async fn a_mail_whose_token_was_made_invalid_is_not_sent(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    // The mail is to be sent again later, as after a failure.
    app.database().execute(&format!(
        "UPDATE outbox SET next_attempt_at = '2026-11-20 12:59:00' WHERE id = '{challenge_id}'"
    ));
    confirm_token(&app, mail.token()).await.ok();
    let row = format!("outbox WHERE id = '{challenge_id}' AND next_attempt_at IS NULL");
    assert_eq!(count(&app, &row), 1);
}

async fn old_rows_are_deleted_and_recent_rows_stay(app: App) {
    let ada = app.user("ada").await;
    requested_mail(&app, ada.email()).await;
    for number in 0..1234 {
        // Inserts the rows with two statements.
        if number % 617 == 0 {
            app.database().execute(&insert_old_rows(number, 617));
        }
    }
    assert_eq!(count(&app, "outbox"), 1 + 1234);
    app.clock.advance(24 * HOUR);
    let first_process = app.another_process().start();
    wait_until("the purge is complete", async || {
        count(&first_process, "outbox") == 1
    })
    .await;
    // The row is now more than a day old.
    app.clock.advance(Duration::from_micros(1));
    let second_process = app.another_process().start();
    wait_until("the purge is complete", async || {
        count(&second_process, "outbox") == 0
    })
    .await;
}

fn insert_old_rows(start: usize, row_count: usize) -> String {
    let row = |number: usize| {
        format!(
            "('00000000-0000-7000-8000-{number:012}', 'password_reset', 'x@example.com', \
             '2026-11-20 12:00:00', '2026-11-20 13:00:00', 0, 0)"
        )
    };
    let rows: Vec<_> = (start..start + row_count).map(row).collect();
    format!(
        "INSERT INTO outbox (id, kind, recipient, created_at, expires_at, attempts, wrong_codes) VALUES {}",
        rows.join(", ")
    )
}

async fn a_full_outbox_ignores_requests_and_responds_as_usual(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let rows: String = (0..10).fold(String::new(), |text, batch| {
        text + &insert_old_rows(batch * 1000, 1000) + ";"
    });
    app.database().execute(&rows);
    // The rows wait until tomorrow.
    app.database()
        .execute("UPDATE outbox SET next_attempt_at = '2026-11-21 12:00:00'");
    // A process counts the rows at its start.
    let full_process = app.another_process().start();
    wait_until("a request is ignored", async || {
        let before = count(&app, "outbox");
        request_reset(&full_process, ada.email()).await;
        count(&app, "outbox") == before
    })
    .await;
}
