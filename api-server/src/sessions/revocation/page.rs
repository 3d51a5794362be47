//! Reads a page of the feed of revocations. First numbers the revocations that have no number yet.

use std::time::Duration;

use tokio::time::timeout;

use crate::db::{Db, DbError, DbShare};
use crate::sessions::revocation::store;
use crate::sessions::revocation::store::FeedPage;

/// The time limit for numbering the last revocations before the process ends.
const FINAL_NUMBERING_TIMEOUT: Duration = Duration::from_secs(1);

/// Returns a page of the revocations after the number `sequence`. If no numbers can be assigned, for example because a
/// process of an earlier release keeps the lock, the page also has up to `unnumbered_limit` revocations without a
/// number.
pub(crate) async fn read(
    db: &DbShare<'_>,
    sequence: i64,
    unnumbered_limit: i64,
) -> Result<FeedPage, DbError> {
    let complete_page = db
        .read(move |connection| {
            if store::has_unnumbered(connection)? {
                return Ok(None);
            }
            store::page_after(connection, sequence).map(Some)
        })
        .await?;
    if let Some(page) = complete_page {
        return Ok(page);
    }
    if let Err(error) = db.write(store::assign_numbers).await {
        log::warn!("cannot number revocations cause={error:?}");
        return read_with_unnumbered(db, sequence, unnumbered_limit).await;
    }
    db.read(move |connection| store::page_after(connection, sequence))
        .await
}

async fn read_with_unnumbered(
    db: &DbShare<'_>,
    sequence: i64,
    unnumbered_limit: i64,
) -> Result<FeedPage, DbError> {
    db.read(move |connection| {
        // The unnumbered revocations are read first: otherwise a revocation that gets its number between the two
        // queries would be in neither result.
        let unnumbered = store::find_unnumbered(connection, unnumbered_limit)?;
        let page = store::page_after(connection, sequence)?;
        Ok(FeedPage { unnumbered, ..page })
    })
    .await
}

/// Numbers up to 10 000 revocations that have no number yet, before the process ends: processes of earlier releases
/// read only numbered revocations, and do not number any.
pub(crate) async fn assign_final_numbers(db: &Db) {
    let number = async {
        if db.read(store::has_unnumbered).await? {
            db.write(store::assign_numbers).await?;
        }
        Ok::<_, DbError>(())
    };
    if let Ok(Err(error)) = timeout(FINAL_NUMBERING_TIMEOUT, number).await {
        log::warn!("cannot number revocations cause={error:?}");
    }
}
