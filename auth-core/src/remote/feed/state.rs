//! Stores the state of the revocation feed, which the background task writes and verifiers read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::RevokedSessions;

/// The revoked sessions, the time of the last complete response and the last error.
pub(super) struct FeedState {
    pub(super) revoked: RevokedSessions,
    started_at: Instant,
    /// When the last complete response was requested: milliseconds after `started_at`, plus one. 0 means never.
    complete_at: AtomicU64,
    completion: watch::Sender<bool>,
    last_error: Mutex<Option<String>>,
}

impl FeedState {
    pub(super) fn new() -> Self {
        Self {
            revoked: RevokedSessions::default(),
            started_at: Instant::now(),
            complete_at: AtomicU64::new(0),
            completion: watch::Sender::new(false),
            last_error: Mutex::new(None),
        }
    }

    /// Waits for the first complete response.
    pub(super) async fn caught_up(&self) {
        let mut completion = self.completion.subscribe();
        // `self` owns the sender, so the channel stays open during the wait.
        let _sender_gone = completion.wait_for(|is_complete| *is_complete).await;
    }

    /// Returns the time since the last complete response was requested. Takes no lock.
    pub(super) fn age(&self) -> Option<Duration> {
        let complete_at = self.complete_at.load(Ordering::Acquire).checked_sub(1)?;
        let since_start = self.started_at.elapsed();
        Some(since_start.saturating_sub(Duration::from_millis(complete_at)))
    }

    /// Records that no page is missing. The age starts at the request, because the server may have read its list then.
    pub(super) fn mark_complete(&self, requested_at: Instant) {
        let since_start = requested_at.saturating_duration_since(self.started_at);
        let millis = u64::try_from(since_start.as_millis()).unwrap_or(u64::MAX - 1);
        self.complete_at.store(millis + 1, Ordering::Release);
        self.completion.send_replace(true);
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.lock_last_error().clone()
    }

    pub(super) fn set_last_error(&self, error: Option<String>) {
        *self.lock_last_error() = error;
    }

    // No code panics under this lock, so a poisoned lock still guards a consistent value.
    fn lock_last_error(&self) -> MutexGuard<'_, Option<String>> {
        self.last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
