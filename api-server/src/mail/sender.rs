//! Sends the mails of the outbox, on a thread of its own, because sending blocks.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use auth_core::mail_token::MailTokens;
use log::Level;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::attempt::{MailDispatcher, next_attempt_at};
use super::message::Composer;
use super::outbox::{LeasedMail, Outbox};
use super::recipient::{Decision, decide};
use super::settings::MailSettings;
use super::store;
use super::transport::{SendError, Transport};
use crate::clock::Clock;
use crate::db::{Db, DbConnection, DbError, QueryResult, Timestamp};
use crate::metrics::{Event, Metrics};
use crate::users::email_change::store as undos;
use crate::users::mail_key::generate_mail_key;

/// The longest pause between two searches for due mails, or between two attempts to store the result of a mail. A mail
/// that this process adds ends the pause.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The pause between two counts of the rows.
const COUNT_INTERVAL: Duration = Duration::from_secs(10);
/// The pause between two deletions of old rows.
const PURGE_INTERVAL: Duration = Duration::from_secs(60);
/// The time for which only one process may send a mail. It is longer than the time limits in `mail/smtp/` for all steps
/// of one mail, which together are at most about ten minutes.
const LEASE: Duration = Duration::from_secs(15 * 60);
/// The most due mails that are read to lease one of them. Other processes may lease the first ones in the meantime.
const MAX_CANDIDATES: i64 = 10;
/// The shortest time after which a row is purged: mails of the last day count towards the quotas.
const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);
/// The most rows that one statement deletes, so that other writes do not wait long.
const BATCH_SIZE: i64 = 500;
/// The most batches per table that are deleted in one [`PURGE_INTERVAL`].
const MAX_BATCHES: usize = 100;
/// The longest wait for the thread to end when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// Returns the [`MailTokens`] with the current secrets, which change when the secrets are read again.
pub(crate) type CurrentTokens = Box<dyn Fn() -> MailTokens + Send>;

/// The state of the thread that sends mails.
pub(crate) struct MailSender {
    db: Db,
    clock: Clock,
    metrics: Metrics,
    outbox: Arc<Outbox>,
    dispatcher: MailDispatcher,
    current_tokens: CurrentTokens,
}

/// A handle of the running thread. Dropping it stops the thread.
pub(crate) struct RunningSender {
    outbox: Arc<Outbox>,
    /// The sender of this channel is dropped when the thread ends.
    ended: oneshot::Receiver<()>,
}

impl RunningSender {
    /// Makes the thread stop, and waits at most [`STOP_TIMEOUT`] for its end, because a mail server may be slow. If the
    /// process ends before the mail server has replied, the mail is sent again when its lease is over.
    pub(crate) async fn stop(mut self) {
        self.outbox.stop();
        let _ended_or_still_sending = timeout(STOP_TIMEOUT, &mut self.ended).await;
    }
}

/// Makes the thread stop even if [`stop`](RunningSender::stop) is not called.
impl Drop for RunningSender {
    fn drop(&mut self) {
        self.outbox.stop();
    }
}

impl MailSender {
    /// Reads the templates and prepares the transport. Fails if a template cannot be used or TLS cannot be prepared.
    pub(crate) fn new(
        settings: &MailSettings,
        public_url: String,
        outbox: Arc<Outbox>,
        (db, clock, metrics): (Db, Clock, Metrics),
        current_tokens: CurrentTokens,
    ) -> Result<Self, String> {
        let dispatcher = MailDispatcher {
            composer: Composer::new(settings, &public_url)?,
            transport: Transport::new(settings)?,
            public_url,
        };
        Ok(Self {
            db,
            clock,
            metrics,
            outbox,
            dispatcher,
            current_tokens,
        })
    }

    pub(crate) fn start(self) -> io::Result<RunningSender> {
        let runtime = Builder::new_current_thread().enable_time().build()?;
        let outbox = Arc::clone(&self.outbox);
        let (end_sender, ended) = oneshot::channel();
        std::thread::Builder::new()
            .name("mail".to_owned())
            .spawn(move || {
                let _dropped_at_the_end: oneshot::Sender<()> = end_sender;
                self.run(&runtime);
            })?;
        Ok(RunningSender { outbox, ended })
    }

    /// Sends mails until the outbox is stopped.
    fn run(&self, runtime: &Runtime) {
        let (mut next_count, mut next_purge) = (Instant::now(), Instant::now());
        let mut is_failing = false;
        loop {
            let step = async {
                if reschedule_if_due(&mut next_purge, PURGE_INTERVAL) {
                    self.purge().await?;
                }
                if reschedule_if_due(&mut next_count, COUNT_INTERVAL) {
                    self.count_rows().await?;
                }
                self.send_next().await
            };
            // A panic must not stop all later mails.
            let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(step)));
            let result = outcome.unwrap_or_else(|_panic| {
                log::error!("the thread that sends mails panicked, and continues");
                Ok(false)
            });
            let pause = match &result {
                Ok(true) => Duration::ZERO,
                Ok(false) | Err(_) => POLL_INTERVAL,
            };
            log_state_change(&mut is_failing, result.err());
            if self.outbox.wait(pause) {
                return;
            }
        }
    }

    /// Handles the mail that has been due longest of those that are not leased. Returns `false` if there was none.
    async fn send_next(&self) -> Result<bool, DbError> {
        let now = self.clock.now();
        let due_at = Timestamp::from(now);
        let read_due = move |connection: &mut _| store::due_ids(connection, due_at, MAX_CANDIDATES);
        let ids = self.db.read(read_due).await?;
        if ids.is_empty() {
            return Ok(false);
        }
        let lease = move |connection: &mut _| store::lease(connection, &ids, due_at, LEASE);
        if let Some(mail) = self.db.write(lease).await? {
            self.handle(mail, now).await?;
        }
        Ok(true)
    }

    /// Sends a mail or decides not to, and ends its lease. If the database fails, the mail is tried again later.
    async fn handle(&self, mail: LeasedMail, now: SystemTime) -> Result<(), DbError> {
        let later = next_attempt_at(&mail, 1, now);
        let result = match generate_mail_key() {
            Ok(new_key) => self.decide_and_send(mail.clone(), new_key, now).await,
            Err(error) => {
                log::error!("no mail can be sent cause={error:?}");
                Ok(later)
            }
        };
        let next_attempt_at = result.as_ref().map_or(later, |next| *next);
        let end_result = self.end_lease(&mail, next_attempt_at).await;
        result.and(end_result)
    }

    /// Ends the lease of a mail. While the database fails, tries again for at most [`LEASE`], or until the sender must
    /// stop: a sent mail whose lease is not ended would be sent again.
    async fn end_lease(
        &self,
        mail: &LeasedMail,
        next_attempt_at: Option<Timestamp>,
    ) -> Result<(), DbError> {
        let end = Instant::now() + LEASE;
        loop {
            let leased_mail = mail.clone();
            let write = move |connection: &mut _| {
                store::end_lease(connection, &leased_mail, next_attempt_at)
            };
            let result = self.db.write(write).await;
            let Err(error) = &result else {
                return result;
            };
            log::warn!(
                "the result of a mail cannot be stored id={} cause={error:?}",
                mail.id
            );
            if Instant::now() >= end || self.outbox.wait(POLL_INTERVAL) {
                return result;
            }
        }
    }

    /// Sends a mail unless [`decide`] skips it. Returns the time of the next attempt; `None` if there is none.
    async fn decide_and_send(
        &self,
        mail: LeasedMail,
        new_key: String,
        now: SystemTime,
    ) -> Result<Option<Timestamp>, DbError> {
        let decided_mail = mail.clone();
        let decision = self
            .db
            .write(move |connection| decide(connection, &decided_mail, &new_key, now.into()))
            .await?;
        match decision {
            Decision::Skip(reason) => {
                let (id, kind) = (&mail.id, mail.kind.as_str());
                // A mail that is skipped before its first attempt is no problem: the address may have no account.
                let level = if mail.attempts > 0 {
                    Level::Warn
                } else {
                    Level::Debug
                };
                log::log!(level, "mail not sent id={id} kind={kind}: {reason}");
                Ok(None)
            }
            Decision::Send(recipient) => {
                let result = self
                    .dispatcher
                    .send(&mail, &recipient, &(self.current_tokens)());
                if result.is_ok() {
                    self.metrics.count(Event::MailSent);
                }
                Ok(result
                    .err()
                    .and_then(|error| self.plan_next_attempt(&mail, &error)))
            }
        }
    }

    /// Logs and counts a failure. Returns the time of the next attempt; `None` if the mail is given up.
    fn plan_next_attempt(&self, mail: &LeasedMail, error: &SendError) -> Option<Timestamp> {
        let failures = mail.attempts.saturating_add(1);
        let next = match error {
            SendError::Permanent(_) => None,
            SendError::Temporary(_) => next_attempt_at(mail, failures, self.clock.now()),
        };
        self.metrics.count(match next {
            Some(_) => Event::MailPostponed,
            None => Event::MailGivenUp,
        });
        let (id, kind) = (&mail.id, mail.kind.as_str());
        match next {
            Some(next) => {
                let next = next.to_rfc3339_micros();
                log::warn!(
                    "mail not sent id={id} kind={kind} failures={failures} next_attempt={next} cause={error}"
                );
            }
            None => {
                log::error!("mail given up id={id} kind={kind} failures={failures} cause={error}");
            }
        }
        next
    }

    async fn count_rows(&self) -> Result<(), DbError> {
        let counts = self.db.read(store::count_rows).await?;
        self.outbox.set_counts(counts);
        let overflow_count = self.outbox.take_overflow_count();
        if overflow_count > 0 {
            log::warn!(
                "the outbox is full waiting={} rows={}: {overflow_count} requests for mails were ignored",
                counts.waiting,
                counts.total
            );
        }
        Ok(())
    }

    async fn purge(&self) -> Result<(), DbError> {
        let now = Timestamp::from(self.clock.now());
        let cutoff = now.minus(RETENTION);
        let purge_mails =
            move |connection: &mut _| store::purge(connection, cutoff, now, BATCH_SIZE);
        self.delete_in_batches(purge_mails).await?;
        // Expired undo rows are kept for a day: the clock of another process may be behind.
        let purge_undos = move |connection: &mut _| undos::purge(connection, cutoff, BATCH_SIZE);
        self.delete_in_batches(purge_undos).await
    }

    /// Calls `delete_batch` until a call deletes fewer than [`BATCH_SIZE`] rows, at most [`MAX_BATCHES`] times.
    async fn delete_in_batches(
        &self,
        delete_batch: impl Fn(&mut DbConnection) -> QueryResult<usize> + Copy + Send + 'static,
    ) -> Result<(), DbError> {
        for _ in 0..MAX_BATCHES {
            let deleted_count = self.db.write(delete_batch).await?;
            if i64::try_from(deleted_count).is_ok_and(|count| count < BATCH_SIZE) {
                break;
            }
        }
        Ok(())
    }
}

/// Returns whether the time `next` has come; if so, sets `next` to the time after one more interval.
fn reschedule_if_due(next: &mut Instant, interval: Duration) -> bool {
    let now = Instant::now();
    let is_due = now >= *next;
    if is_due {
        *next = now + interval;
    }
    is_due
}

/// Logs the first of consecutive errors, and the first success after them.
fn log_state_change(is_failing: &mut bool, error: Option<DbError>) {
    match error {
        Some(error) if !*is_failing => {
            *is_failing = true;
            log::error!("the outbox cannot be read cause={error:?}");
        }
        None if *is_failing => {
            *is_failing = false;
            log::info!("the outbox can be read again");
        }
        _unchanged => {}
    }
}
