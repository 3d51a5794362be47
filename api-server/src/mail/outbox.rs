//! Defines the mails that wait to be sent, and wakes the sender when a mail is added.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::kind::MailKind;
use super::language::Language;
use crate::db::Timestamp;
use crate::network::Network;
use crate::users::id::generate_id;

/// The number of waiting mails at which a request for a mail adds none. Mails about a change that was made, such as a
/// new password, are still added. The mails are counted only from time to time, so their number can exceed this limit.
const MAX_WAITING: i64 = 10_000;
/// The number of rows at which a request for a mail adds none. Mails that were sent and not purged yet count as well.
const MAX_ROWS: i64 = 100_000;

/// A mail to add to the outbox.
#[derive(Debug, Clone)]
pub(crate) struct NewMail {
    /// Identifies the mail, and is the challenge id of its code.
    pub(crate) id: String,
    pub(crate) kind: MailKind,
    pub(crate) recipient: String,
    /// The user; `None` if the user is looked up by the address when the mail is sent.
    pub(crate) user_id: Option<String>,
    /// The language to use if the user has none.
    pub(crate) language: Option<Language>,
    /// The address to which a user changes the address of the account.
    pub(crate) new_email: Option<String>,
    /// The address to which the page of the link leads afterwards: a path, or a URL of a trusted origin.
    pub(crate) callback_url: Option<String>,
    /// The network of the client whose request caused the mail.
    pub(crate) network: Option<Network>,
    pub(crate) created_at: Timestamp,
}

impl NewMail {
    /// Creates a mail whose user is looked up when the mail is sent.
    pub(crate) fn new(kind: MailKind, recipient: &str, now: SystemTime) -> Self {
        Self {
            id: generate_id(now),
            kind,
            recipient: recipient.to_owned(),
            user_id: None,
            language: None,
            new_email: None,
            callback_url: None,
            network: None,
            created_at: now.into(),
        }
    }

    /// Creates a mail to a user.
    pub(crate) fn to_user(kind: MailKind, user_id: &str, recipient: &str, now: SystemTime) -> Self {
        Self {
            user_id: Some(user_id.to_owned()),
            ..Self::new(kind, recipient, now)
        }
    }

    pub(crate) fn expires_at(&self) -> Timestamp {
        self.created_at.plus(self.kind.lifetime())
    }
}

/// A mail of the outbox that this process alone may send until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeasedMail {
    pub(crate) id: String,
    pub(crate) kind: MailKind,
    pub(crate) recipient: String,
    pub(crate) user_id: Option<String>,
    pub(crate) language: Option<Language>,
    pub(crate) new_email: Option<String>,
    pub(crate) callback_url: Option<String>,
    pub(crate) network: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// The number of earlier attempts to send the mail.
    pub(crate) attempts: i32,
    /// The end of the lease, by the clock of the database.
    pub(crate) leased_until: Timestamp,
}

/// The numbers of rows in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutboxCounts {
    /// Mails that wait to be sent.
    pub(crate) waiting: i64,
    pub(crate) total: i64,
}

impl OutboxCounts {
    /// Returns how many rows may be added; zero or negative if the outbox is full.
    fn free_rows(self) -> i64 {
        (MAX_WAITING - self.waiting).min(MAX_ROWS - self.total)
    }
}

/// Connects the requests that add mails with the thread that sends them. The mails themselves are in the database.
pub(crate) struct Outbox {
    signal: Mutex<Signal>,
    changed: Condvar,
    /// The number of rows that may be added until the rows are counted again.
    free_rows: AtomicI64,
    /// The number of mails that were not added because the outbox was full, since the last call of
    /// [`take_overflow_count`](Self::take_overflow_count).
    overflow_count: AtomicU64,
}

#[derive(Default)]
struct Signal {
    has_new_mail: bool,
    must_stop: bool,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            signal: Mutex::default(),
            changed: Condvar::new(),
            free_rows: AtomicI64::new(MAX_WAITING),
            overflow_count: AtomicU64::new(0),
        }
    }
}

impl Outbox {
    /// Reserves a row for a mail that a client has requested. Returns `false`, and counts this, if the outbox is full.
    pub(crate) fn reserve_row(&self) -> bool {
        let is_admitted = self.free_rows.fetch_sub(1, Ordering::Relaxed) > 0;
        if !is_admitted {
            self.overflow_count.fetch_add(1, Ordering::Relaxed);
        }
        is_admitted
    }

    /// Updates the number of rows that may be added, after the rows in the database were counted.
    pub(super) fn set_counts(&self, counts: OutboxCounts) {
        self.free_rows.store(counts.free_rows(), Ordering::Relaxed);
    }

    /// Returns how many mails were not added because the outbox was full, since the last call.
    pub(super) fn take_overflow_count(&self) -> u64 {
        self.overflow_count.swap(0, Ordering::Relaxed)
    }

    /// Wakes the sender. To be called after the transaction that added a mail has committed.
    pub(crate) fn notify_sender(&self) {
        self.set(|signal| signal.has_new_mail = true);
    }

    /// Makes the sender stop after the mail that it is sending.
    pub(super) fn stop(&self) {
        self.set(|signal| signal.must_stop = true);
    }

    fn set(&self, change: impl FnOnce(&mut Signal)) {
        change(&mut self.signal.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Waits until a mail is added by this process or the sender must stop, at most for `timeout`. Returns whether the
    /// sender must stop.
    pub(super) fn wait(&self, timeout: Duration) -> bool {
        let signal = self.signal.lock().unwrap_or_else(PoisonError::into_inner);
        let is_quiet = |signal: &mut Signal| !signal.has_new_mail && !signal.must_stop;
        let result = self.changed.wait_timeout_while(signal, timeout, is_quiet);
        let (mut signal, _timed_out) = result.unwrap_or_else(PoisonError::into_inner);
        signal.has_new_mail = false;
        signal.must_stop
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MAX_ROWS, MAX_WAITING, Outbox, OutboxCounts};

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn the_sender_is_woken_by_a_mail_that_was_added_before_the_wait() {
        let outbox = Outbox::default();
        outbox.notify_sender();
        outbox.notify_sender();
        assert!(!outbox.wait(LONG));
        // Both mails were announced before the wait, so they cause only one wake-up.
        assert!(!outbox.wait(Duration::ZERO));
        outbox.stop();
        assert!(outbox.wait(LONG));
        assert!(outbox.wait(LONG));
    }

    #[test]
    fn a_mail_that_is_added_during_the_wait_ends_the_wait() {
        let outbox = Outbox::default();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| outbox.wait(LONG));
            outbox.notify_sender();
            assert!(!waiting.join().unwrap());
            let waiting = scope.spawn(|| outbox.wait(LONG));
            outbox.stop();
            assert!(waiting.join().unwrap());
        });
    }

    #[test]
    fn a_full_outbox_admits_no_mail_until_rows_are_free() {
        let outbox = Outbox::default();
        for (waiting, total, free_rows) in [
            (MAX_WAITING - 2, MAX_WAITING, 2),
            (0, MAX_ROWS - 1, 1),
            (MAX_WAITING, MAX_WAITING, 0),
            (0, MAX_ROWS + 5, 0),
        ] {
            outbox.set_counts(OutboxCounts { waiting, total });
            let admitted_count = (0..5).filter(|_| outbox.reserve_row()).count();
            assert_eq!(admitted_count, free_rows, "{waiting} {total}");
            assert_eq!(outbox.take_overflow_count(), 5 - free_rows as u64);
        }
        assert_eq!(outbox.take_overflow_count(), 0);
    }

    #[test]
    fn an_outbox_that_was_never_counted_admits_mails() {
        assert!(Outbox::default().reserve_row());
    }
}
