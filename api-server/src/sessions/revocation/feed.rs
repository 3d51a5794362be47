//! Reads revocations from the database into the set in memory, by which this process rejects access tokens.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use auth_core::Revocations;

use crate::db::{Db, DbError};
use crate::metrics::{Event, Metrics};
use crate::sessions::revocation::page;
use crate::sessions::revocation::store::{FeedState, Revocation, RevocationTarget};

/// The time between two reads of new revocations. While the database responds, every process applies a logout within
/// two seconds.
pub(crate) const READ_INTERVAL: Duration = Duration::from_millis(500);
/// If the last read that reached the newest revocation began longer ago than this, `/readyz` reports the process as not
/// ready.
const MAX_READY_AGE: Duration = Duration::from_secs(5);
/// The value of [`RevocationFeed::generation`] before the first read. No database has this generation.
const NO_GENERATION: i64 = -1;
/// The most revocations without a number that one read applies while no numbers can be assigned.
const MAX_UNNUMBERED: i64 = 100_000;

/// Reads the revocations of all processes, and remembers the newest revocation that was read.
pub(crate) struct RevocationFeed {
    revoked: Revocations,
    metrics: Metrics,
    /// The number up to which this process has read the revocations; 0 before the first read, and after a restored
    /// backup was detected.
    newest_read: AtomicI64,
    /// The generation of the database at the last read; [`NO_GENERATION`] before the first read.
    generation: AtomicI64,
    /// The start of the last read that reached the newest revocation; `None` before the first such read.
    complete_read_at: Mutex<Option<Instant>>,
}

impl RevocationFeed {
    pub(crate) fn new(revoked: Revocations, metrics: Metrics) -> Self {
        Self {
            revoked,
            metrics,
            newest_read: AtomicI64::new(0),
            generation: AtomicI64::new(NO_GENERATION),
            complete_read_at: Mutex::new(None),
        }
    }

    /// Reads and applies the revocations that were not read before, page by page. After a restore of the database,
    /// reads all revocations again.
    pub(crate) async fn catch_up(&self, db: &Db) -> Result<(), DbError> {
        loop {
            let started_at = Instant::now();
            let newest_read = self.newest_read.load(Ordering::Acquire);
            let page = page::read(&db.of_server(), newest_read, MAX_UNNUMBERED).await?;
            if self.detect_restore(page.state) {
                self.newest_read.store(0, Ordering::Release);
                self.revoked.clear_stale();
                continue;
            }
            for revocation in &page.revocations {
                self.apply(revocation);
                self.metrics.count(Event::RevocationFollowed);
                self.newest_read
                    .store(revocation.sequence, Ordering::Release);
            }
            // These revocations are applied again after they have received their numbers.
            for revocation in &page.unnumbered {
                self.apply(revocation);
            }
            if !page.has_more {
                // If the newest revocation was purged, the last row that was read has a lower number.
                self.newest_read
                    .fetch_max(page.state.newest_sequence, Ordering::AcqRel);
                *self.lock() = Some(started_at);
                return Ok(());
            }
        }
    }

    /// Returns whether the state shows that a backup of the database was restored since the last read. If so, all
    /// revocations must be read again, because new revocations may have numbers that were already read. Also makes this
    /// process reject tokens from before the restore, if the database has the time of the restore.
    fn detect_restore(&self, state: FeedState) -> bool {
        let newest_read = self.newest_read.load(Ordering::Acquire);
        let known_generation = self.generation.swap(state.generation, Ordering::AcqRel);
        if known_generation != state.generation
            && let Some(time) = state.issued_before
        {
            self.revoked.revoke_issued_before(time.to_system_time());
        }
        let has_other_generation = ![NO_GENERATION, state.generation].contains(&known_generation);
        let has_lost_revocations = state.newest_sequence < newest_read;
        if has_other_generation {
            log::warn!("a backup of the database was restored; tokens from before are rejected");
        } else if has_lost_revocations {
            log::error!(
                "a backup of the database was restored, but sessions that ended since are valid again; run: \
                 api-server restore --end-sessions (last_seen={newest_read} newest={})",
                state.newest_sequence
            );
        }
        has_other_generation || has_lost_revocations
    }

    fn apply(&self, revocation: &Revocation) {
        let forget_after = revocation.forget_after.to_system_time();
        match &revocation.target {
            RevocationTarget::Session(id) => self.revoked.revoke_session(id, forget_after),
            RevocationTarget::StaleUser { id, claims_version } => {
                self.revoked.mark_stale(id, *claims_version, forget_after);
            }
        }
    }

    /// Returns whether a read that began less than [`MAX_READY_AGE`] ago has reached the newest revocation.
    pub(crate) fn is_current(&self) -> bool {
        self.lags_less_than(MAX_READY_AGE)
    }

    /// Returns whether a read that began less than `max_age` ago has reached the newest revocation.
    pub(crate) fn lags_less_than(&self, max_age: Duration) -> bool {
        self.lag().is_some_and(|lag| lag < max_age)
    }

    /// Returns the time since the start of the last read that reached the newest revocation; `None` before the first
    /// such read.
    pub(crate) fn lag(&self) -> Option<Duration> {
        self.lock().map(|started_at| started_at.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.complete_read_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
