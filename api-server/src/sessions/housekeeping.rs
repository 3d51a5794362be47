//! What a server does beside its requests: follow revocations, forget what is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::revocation;
use super::store;
use crate::db::{DbConnection, DbError, QueryResult, Timestamp};
use crate::sessions::Sessions;

const PURGE_INTERVAL: Duration = Duration::from_secs(60);
/// The most rows that one statement deletes, so that other writes do not wait long for it.
const BATCH: i64 = 500;
/// Batches a round deletes at most; the rest waits for the next round.
const MAX_BATCHES: usize = 100;
/// Expired sessions stay a day, so that the response says "expired" and not "unknown"; or as long as a token of theirs
/// could be alive by a clock that is behind, so that ending them can reach it.
const KEEP_EXPIRED: Duration = Duration::from_secs(24 * 60 * 60);

/// Follows the revocations of all processes until it is dropped.
pub(crate) async fn follow_revocations(sessions: Arc<Sessions>) {
    let mut ticks = interval(revocation::INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_failing = false;
    loop {
        ticks.tick().await;
        match sessions.feed.catch_up(&sessions.db).await {
            Ok(()) if is_failing => {
                is_failing = false;
                log::info!("revocations are followed again");
            }
            Err(error) if !is_failing => {
                is_failing = true;
                log::error!("revocations cannot be followed cause={error:?}");
            }
            _as_before => {}
        }
    }
}

/// Forgets expired sessions and spent revocations until it is dropped.
pub(crate) async fn purge_regularly(sessions: Arc<Sessions>) {
    let mut ticks = interval(PURGE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = purge(&sessions).await {
            log::warn!("cannot purge cause={error:?}");
        }
    }
}

async fn purge(sessions: &Sessions) -> Result<(), DbError> {
    let now = sessions.now();
    sessions.revoked.purge(now);
    let tokens_alive = sessions.forget_after(now).since(now.into());
    let cutoff = Timestamp::from(now).minus(KEEP_EXPIRED.max(tokens_alive));
    in_batches(sessions, move |connection| {
        store::purge(connection, cutoff, BATCH)
    })
    .await?;
    let now = Timestamp::from(now);
    in_batches(sessions, move |connection| {
        revocation::store::purge(connection, now, BATCH)
    })
    .await
}

async fn in_batches(
    sessions: &Sessions,
    delete: impl Fn(&mut DbConnection) -> QueryResult<usize> + Copy + Send + 'static,
) -> Result<(), DbError> {
    for _ in 0..MAX_BATCHES {
        let deleted = sessions.db.write(delete).await?;
        if i64::try_from(deleted).is_ok_and(|deleted| deleted < BATCH) {
            break;
        }
    }
    Ok(())
}
