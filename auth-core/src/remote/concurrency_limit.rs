//! Limits the concurrent requests to the server. Starts none for half a second after a connection could not be opened.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Refusal;

/// The maximum number of requests that wait for a permit at the same time.
const MAX_WAITING: usize = 1024;
/// The time without new requests after a connection to the server could not be opened.
const CONNECT_PAUSE: Duration = Duration::from_millis(500);

/// A limit of concurrent requests with a bounded queue.
pub(super) struct ConcurrencyLimit {
    /// The permits for requests that run.
    running: Semaphore,
    /// The permits for requests that run or wait.
    admitted: Semaphore,
    started_at: Instant,
    /// The end of the latest pause, in milliseconds after `started_at`; 0 before the first pause.
    paused_until: AtomicU64,
}

/// The permission to send one request. When the permission is dropped, the next request can be sent.
pub(super) struct Permit<'a> {
    _running: SemaphorePermit<'a>,
    _admitted: SemaphorePermit<'a>,
}

impl ConcurrencyLimit {
    /// Allows `max_running` requests at the same time; [`MAX_WAITING`] more may wait.
    pub(super) fn new(max_running: usize) -> Self {
        Self {
            running: Semaphore::new(max_running),
            admitted: Semaphore::new(max_running.saturating_add(MAX_WAITING)),
            started_at: Instant::now(),
            paused_until: AtomicU64::new(0),
        }
    }

    /// Waits for a permit.
    ///
    /// # Errors
    ///
    /// [`Refusal::authority_unavailable`] at once if the queue is full, or after the wait if a pause has not ended.
    pub(super) async fn acquire(&self) -> Result<Permit<'_>, Refusal> {
        let refuse = |_| Refusal::authority_unavailable("too many requests wait for the server");
        let admitted_permit = self.admitted.try_acquire().map_err(refuse)?;
        let result = self.running.acquire().await;
        let running_permit =
            result.map_err(|_closed| Refusal::internal_error("the semaphore is closed"))?;
        if self.elapsed_millis() < self.paused_until.load(Ordering::Relaxed) {
            return Err(Refusal::authority_unavailable(
                "the server refused a connection less than half a second ago",
            ));
        }
        Ok(Permit {
            _running: running_permit,
            _admitted: admitted_permit,
        })
    }

    /// Makes [`acquire`](Self::acquire) fail for the next half second.
    pub(super) fn pause(&self) {
        let pause_end = self.elapsed_millis().saturating_add(millis(CONNECT_PAUSE));
        self.paused_until.store(pause_end, Ordering::Relaxed);
    }

    fn elapsed_millis(&self) -> u64 {
        millis(self.started_at.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
