//! Keeps the set of this process up to date with the database.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use auth_core::RevokedSessions;

use crate::db::{Db, DbConnection, DbError, QueryResult};
use crate::sessions::revocation::store;
use crate::sessions::revocation::store::Revocation;

/// How often the database is asked: a logout is felt everywhere well within two seconds.
pub(crate) const INTERVAL: Duration = Duration::from_millis(500);
/// A feed older than this is not ready.
const MAX_AGE: Duration = Duration::from_secs(5);
const PAGE: i64 = 1000;

/// Where this process has got to.
pub(crate) struct Feed {
    revoked: RevokedSessions,
    seen: AtomicI64,
    complete_at: Mutex<Option<Instant>>,
}

impl Feed {
    pub(crate) fn new(revoked: RevokedSessions) -> Self {
        Self {
            revoked,
            seen: AtomicI64::new(0),
            complete_at: Mutex::new(None),
        }
    }

    /// Reads all that is new. The first time that is everything, so a new process catches up before it answers.
    pub(crate) async fn catch_up(&self, db: &Db) -> Result<(), DbError> {
        loop {
            let asked_at = Instant::now();
            let seen = self.seen.load(Ordering::Acquire);
            let (last, page) = db.read(move |connection| newer(connection, seen)).await?;
            if last < seen {
                // The database was set back to a backup: what follows has numbers that were seen before.
                log::warn!("revocations start over seen={seen} last={last}");
                self.seen.store(0, Ordering::Release);
                continue;
            }
            let is_whole = i64::try_from(page.len()).is_ok_and(|length| length < PAGE);
            for revocation in page {
                self.apply(&revocation);
            }
            if is_whole {
                // What is numbered up to `last` was seen now or is spent and purged.
                self.seen.fetch_max(last, Ordering::AcqRel);
                *self.lock() = Some(asked_at);
                return Ok(());
            }
        }
    }

    fn apply(&self, revocation: &Revocation) {
        let until = revocation.forget_after.to_system_time();
        self.revoked.insert(&revocation.session_id, until);
        self.seen.store(revocation.sequence, Ordering::Release);
    }

    /// Whether it knows of everything that happened some seconds ago.
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

fn newer(connection: &mut DbConnection, seen: i64) -> QueryResult<(i64, Vec<Revocation>)> {
    let last = store::last(connection)?;
    let page = match last {
        last if last <= seen => Vec::new(),
        _ => store::newer(connection, seen, PAGE)?,
    };
    Ok((last, page))
}
