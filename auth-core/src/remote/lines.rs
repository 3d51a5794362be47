//! How many questions are under way, and when there is no use in asking.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Refusal;

/// How many may wait for their turn.
const WAITING_ROOM: usize = 1024;
/// A server that refused a connection is left alone this long, however many ask.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Lines {
    open: Semaphore,
    room: Semaphore,
    started: Instant,
    /// Milliseconds after `started`.
    paused_until: AtomicU64,
}

/// The right to ask one question.
pub(super) struct Line<'a> {
    _line: SemaphorePermit<'a>,
    _place: SemaphorePermit<'a>,
}

impl Lines {
    pub(super) fn new(count: usize) -> Self {
        Self {
            open: Semaphore::new(count),
            room: Semaphore::new(count.saturating_add(WAITING_ROOM)),
            started: Instant::now(),
            paused_until: AtomicU64::new(0),
        }
    }

    /// A line, when there is one. Whoever finds the server away or the waiting room full is told at once.
    pub(super) async fn take(&self) -> Result<Line<'_>, Refusal> {
        let full = |_| Refusal::authority_unavailable("too many questions wait for the server");
        let place = self.room.try_acquire().map_err(full)?;
        let line = self.open.acquire().await;
        let line = line.map_err(|_closed| Refusal::fault("the lines are never closed"))?;
        if self.millis() < self.paused_until.load(Ordering::Relaxed) {
            return Err(Refusal::authority_unavailable(
                "the server refused a connection less than half a second ago",
            ));
        }
        Ok(Line {
            _line: line,
            _place: place,
        })
    }

    pub(super) fn pause(&self) {
        let until = self.millis().saturating_add(millis(PAUSE));
        self.paused_until.store(until, Ordering::Relaxed);
    }

    fn millis(&self) -> u64 {
        millis(self.started.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
