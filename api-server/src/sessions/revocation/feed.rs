//! Reads revocations from the database into the set in memory.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use auth_core::RevokedSessions;

use crate::db::{Db, DbConnection, DbError, QueryResult};
use crate::sessions::revocation::store;
use crate::sessions::revocation::store::Revocation;

/// The time between two reads. A logout thus applies in every process well within two seconds.
pub(crate) const INTERVAL: Duration = Duration::from_millis(500);
/// The process is ready for requests while its last complete read is younger than this.
const MAX_AGE: Duration = Duration::from_secs(5);
/// The most revocations in one read.
const PAGE_SIZE: i64 = 1000;

/// The revocations that this process has read.
pub(crate) struct Feed {
    revoked: RevokedSessions,
    /// The number of the newest revocation that was read; 0 at the start.
    last_seen: AtomicI64,
    /// The start of the last read after which every recorded revocation was known; `None` before the first such read.
    complete_at: Mutex<Option<Instant>>,
}

/// The revocations after a number, at most [`PAGE_SIZE`].
struct NewRevocations {
    /// The number of the newest revocation in the database.
    newest_sequence: i64,
    revocations: Vec<Revocation>,
}

impl Feed {
    pub(crate) fn new(revoked: RevokedSessions) -> Self {
        Self {
            revoked,
            last_seen: AtomicI64::new(0),
            complete_at: Mutex::new(None),
        }
    }

    /// Reads all newer revocations, page by page. The first call reads every recorded revocation.
    pub(crate) async fn catch_up(&self, db: &Db) -> Result<(), DbError> {
        loop {
            let started_at = Instant::now();
            let last_seen = self.last_seen.load(Ordering::Acquire);
            let page = db.read(move |connection| read_newer(connection, last_seen));
            let NewRevocations {
                newest_sequence,
                revocations,
            } = page.await?;
            if newest_sequence < last_seen {
                // A backup of the database was restored, so the next revocations get numbers that were read before.
                log::warn!(
                    "revocations are read from the start: last_seen={last_seen} newest={newest_sequence}"
                );
                self.last_seen.store(0, Ordering::Release);
                continue;
            }
            let is_last_page =
                i64::try_from(revocations.len()).is_ok_and(|length| length < PAGE_SIZE);
            for revocation in revocations {
                self.apply(&revocation);
            }
            if is_last_page {
                // Every number up to `newest_sequence` was read, or its revocation was purged because all tokens had
                // expired.
                self.last_seen.fetch_max(newest_sequence, Ordering::AcqRel);
                *self.lock() = Some(started_at);
                return Ok(());
            }
        }
    }

    fn apply(&self, revocation: &Revocation) {
        let until = revocation.forget_after.to_system_time();
        self.revoked.insert(&revocation.session_id, until);
        self.last_seen.store(revocation.sequence, Ordering::Release);
    }

    /// Returns whether every revocation older than [`MAX_AGE`] has been read.
    pub(crate) fn is_current(&self) -> bool {
        self.lock()
            .is_some_and(|complete_at| complete_at.elapsed() < MAX_AGE)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.complete_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_newer(connection: &mut DbConnection, last_seen: i64) -> QueryResult<NewRevocations> {
    let newest_sequence = store::newest_sequence(connection)?;
    let revocations = if newest_sequence > last_seen {
        store::newer_than(connection, last_seen, PAGE_SIZE)?
    } else {
        Vec::new()
    };
    Ok(NewRevocations {
        newest_sequence,
        revocations,
    })
}
