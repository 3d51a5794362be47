//! Tests `api-server/src/mail`: when mails are sent, how often, and to whom.

mod clocks;
mod deleted_accounts;
mod failures;
mod outbox;
mod quotas;
mod refusals;
mod retries;
mod smtp;

use e2e::{App, Mail};

use crate::auth::password_reset::request_reset;
use crate::sessions::fixtures::{count, wait_until};

/// Waits until this many mails were sent to the address, and returns them in the order of [`App::mails_to`].
pub(crate) async fn received(app: &App, address: &str, expected_count: usize) -> Vec<Mail> {
    wait_until("the mail is there", async || {
        app.mails_to(address).len() >= expected_count
    })
    .await;
    let mails = app.mails_to(address);
    assert_eq!(mails.len(), expected_count, "{mails:?}");
    mails
}

/// Wakes the sender, which otherwise checks once a second whether a mail is due.
pub(crate) async fn wake_sender(app: &App) {
    app.database()
        .execute("DELETE FROM outbox WHERE recipient = 'nobody@example.com'");
    request_reset(app, "nobody@example.com").await;
}

/// Waits until every mail was sent or given up.
pub(crate) async fn until_nothing_waits(app: &App) {
    wait_until("no mail waits", async || waiting_count(app) == 0).await;
}

pub(crate) fn waiting_count(app: &App) -> u64 {
    count(app, "outbox WHERE next_attempt_at IS NOT NULL")
}

/// Waits until the only mail that is still to be sent was tried this many times.
pub(crate) async fn until_attempts(app: &App, attempts: u64) {
    let failed = format!(
        "outbox WHERE attempts = {attempts} AND leased_until IS NULL AND next_attempt_at IS NOT NULL"
    );
    wait_until("the mail was tried", async || count(app, &failed) == 1).await;
}
