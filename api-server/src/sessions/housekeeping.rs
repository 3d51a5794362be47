//! Runs two background tasks: the first reads new revocations, and the second deletes old sessions and revocations.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::revocation;
use super::store;
use crate::db::{DbConnection, DbError, QueryResult, Timestamp};
use crate::sessions::Sessions;

const PURGE_INTERVAL: Duration = Duration::from_secs(60);
/// The most rows that one statement deletes, so that other writes do not wait long.
const BATCH_SIZE: i64 = 500;
/// The most batches that are deleted per table and interval. Remaining rows are deleted in later intervals.
const MAX_BATCHES: usize = 100;
/// The shortest time for which [`purge`] keeps a session after its expiry. If access tokens can be valid for longer by
/// the clock of some process, `purge` keeps all sessions for that longer time, because they may have to be revoked.
const EXPIRED_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads the new revocations of all processes once per [`revocation::READ_INTERVAL`]. Never returns.
pub(crate) async fn follow_revocations(sessions: Arc<Sessions>) {
    let mut ticks = interval(revocation::READ_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_failing = false;
    loop {
        ticks.tick().await;
        match sessions.feed.catch_up(&sessions.db).await {
            Ok(()) if is_failing => {
                is_failing = false;
                log::info!("revocations can be read again");
            }
            Err(error) if !is_failing => {
                is_failing = true;
                log::error!("cannot read revocations cause={error:?}");
            }
            _unchanged => {}
        }
    }
}

/// Once per [`PURGE_INTERVAL`], deletes sessions that expired long ago, and revocations whose access tokens have all
/// expired. Never returns.
pub(crate) async fn purge_regularly(sessions: Arc<Sessions>) {
    let mut ticks = interval(PURGE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = purge(&sessions).await {
            log::warn!("cannot delete expired sessions and revocations cause={error:?}");
        }
    }
}

async fn purge(sessions: &Sessions) -> Result<(), DbError> {
    let now = sessions.now();
    sessions.revoked.purge(now);
    let max_token_lifetime = sessions.forget_after(now).since(now.into());
    let cutoff = Timestamp::from(now).minus(EXPIRED_RETENTION.max(max_token_lifetime));
    delete_in_batches(sessions, move |connection| {
        store::purge(connection, cutoff, BATCH_SIZE)
    })
    .await?;
    delete_in_batches(sessions, move |connection| {
        revocation::store::purge(connection, now.into(), BATCH_SIZE)
    })
    .await
}

/// Calls `delete_batch` until a call deletes fewer than [`BATCH_SIZE`] rows, at most [`MAX_BATCHES`] times.
async fn delete_in_batches(
    sessions: &Sessions,
    delete_batch: impl Fn(&mut DbConnection) -> QueryResult<usize> + Copy + Send + 'static,
) -> Result<(), DbError> {
    for _ in 0..MAX_BATCHES {
        let deleted_count = sessions.db.write(delete_batch).await?;
        if i64::try_from(deleted_count).is_ok_and(|count| count < BATCH_SIZE) {
            break;
        }
    }
    Ok(())
}
