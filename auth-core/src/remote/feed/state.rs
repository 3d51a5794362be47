//! Stores the state of the revocation feed, which the background task writes and verifiers read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::Revocations;

/// The revoked sessions, the time when the set was last up to date, and the error of the last request.
pub(super) struct FeedState {
    pub(super) revocations: Revocations,
    started_at: Instant,
    /// The time of the latest request that returned the final page of the list: milliseconds after `started_at`, plus
    /// one. 0 means never.
    caught_up_at: AtomicU64,
    caught_up_sender: watch::Sender<bool>,
    last_error: Mutex<Option<String>>,
}

impl FeedState {
    pub(super) fn new() -> Self {
        Self {
            revocations: Revocations::default(),
            started_at: Instant::now(),
            caught_up_at: AtomicU64::new(0),
            caught_up_sender: watch::Sender::new(false),
            last_error: Mutex::new(None),
        }
    }

    /// Waits until all pages of the list of revocations have been received once.
    pub(super) async fn wait_until_caught_up(&self) {
        let mut receiver = self.caught_up_sender.subscribe();
        // `self` owns the sender, so the channel stays open during the wait, and the result is never an error.
        let _sender_gone = receiver.wait_for(|has_caught_up| *has_caught_up).await;
    }

    /// Returns the time since the latest request that returned the final page of the list; `None` if no request has.
    pub(super) fn age(&self) -> Option<Duration> {
        let caught_up_at = self.caught_up_at.load(Ordering::Acquire).checked_sub(1)?;
        let since_start = self.started_at.elapsed();
        Some(since_start.saturating_sub(Duration::from_millis(caught_up_at)))
    }

    /// Records that the final page was received. The age is measured from the request for this page, because the server
    /// may have read its list at any time since.
    pub(super) fn mark_caught_up(&self, requested_at: Instant) {
        let since_start = requested_at.saturating_duration_since(self.started_at);
        let millis = u64::try_from(since_start.as_millis()).unwrap_or(u64::MAX - 1);
        self.caught_up_at.store(millis + 1, Ordering::Release);
        self.caught_up_sender.send_replace(true);
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.lock_last_error().clone()
    }

    pub(super) fn set_last_error(&self, error: Option<String>) {
        *self.lock_last_error() = error;
    }

    // A poisoned lock is used like any other, because no code panics while the value is inconsistent.
    fn lock_last_error(&self) -> MutexGuard<'_, Option<String>> {
        self.last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
