//! One thread that writes, and commits together what waits together: a commit costs the same for one write as for
//! fifty, so durable writes get faster under load instead of queueing for the disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use diesel::result::{Error as DieselError, QueryResult};
use tokio::sync::oneshot;

use super::DbConnection;
use super::account_queue::{AccountKey, AccountQueue, Next, QueueLimits};
use super::dialect::write_transaction;
use super::error::DbError;
use super::pool::{Pool, Pooled};
use super::threads::Pending;

/// How many writes may wait; more are turned away.
const QUEUE: usize = 1024;
/// How many writes of one account may wait.
const QUEUE_PER_ACCOUNT: usize = 256;
/// A commit waits for no more than this many writes.
const MAX_BATCH: usize = 128;

/// A write. What it returns tells the caller, and is only called after the commit; when it is dropped instead, the
/// caller learns that the database was unavailable.
type Job = Box<dyn FnOnce(&mut DbConnection) -> QueryResult<CommitCallback> + Send>;
type CommitCallback = Box<dyn FnOnce() + Send>;

/// The way to the writing thread, which ends with the last clone.
#[derive(Clone)]
pub(super) struct Writer(Arc<Closing>);

struct Closing(Arc<AccountQueue<Job>>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Writer {
    pub(super) fn start(pool: Pool) -> std::io::Result<Self> {
        let queue = Arc::new(AccountQueue::new(QueueLimits {
            waiting: QUEUE,
            waiting_per_account: QUEUE_PER_ACCOUNT,
            // Writes take turns in one thread.
            running_per_account: usize::MAX,
        }));
        let writer = Self(Arc::new(Closing(Arc::clone(&queue))));
        std::thread::Builder::new()
            .name("db-writer".to_owned())
            .spawn(move || write_until_closed(&pool, &queue))?;
        Ok(writer)
    }

    /// Queues a write.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        account: Option<AccountKey>,
        work: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<Pending<T>, DbError> {
        let (reply, response) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            if reply.is_closed() {
                // No caller waits any more, so none may be surprised by it later.
                return Ok(Box::new(|| {}));
            }
            let outcome = isolated(connection, work)?;
            Ok(Box::new(move || {
                // The caller may have stopped waiting.
                let _gone = reply.send(outcome);
            }))
        });
        let served = self.0.0.push(job, account)?;
        Ok(Pending { response, served })
    }
}

fn write_until_closed(pool: &Pool, queue: &AccountQueue<Job>) {
    while let Next::Job(first, account) = queue.pop(None) {
        let (mut batch, mut accounts) = (vec![first], vec![account]);
        while batch.len() < MAX_BATCH
            && let Some((next, account)) = queue.try_pop()
        {
            batch.push(next);
            accounts.push(account);
        }
        let is_committed = match pool.get() {
            Ok(mut pooled) => commit(&mut pooled, batch),
            Err(error) => {
                log::error!("writes refused count={} cause={error:?}", batch.len());
                false
            }
        };
        for account in accounts {
            queue.finish(account, is_committed);
        }
    }
}

/// Whether the batch is kept.
fn commit(pooled: &mut Pooled, batch: Vec<Job>) -> bool {
    let count = batch.len();
    let committed = write_transaction(&mut pooled.connection, |connection| {
        batch
            .into_iter()
            .map(|job| job(connection))
            .collect::<QueryResult<Vec<CommitCallback>>>()
    });
    pooled.last_used = Instant::now();
    match committed {
        Ok(callbacks) => {
            for notify in callbacks {
                notify();
            }
            true
        }
        Err(error) => {
            pooled.broken = true;
            log::error!("writes not committed count={count} cause={error:?}");
            false
        }
    }
}

/// Runs one write so that its failure, or panic, undoes it alone. Fails itself only if that is impossible.
fn isolated<T>(
    connection: &mut DbConnection,
    work: impl FnOnce(&mut DbConnection) -> QueryResult<T>,
) -> QueryResult<Result<T, DbError>> {
    let mut outcome = None;
    let kept = write_transaction(connection, |connection| {
        let result = catch_unwind(AssertUnwindSafe(|| work(connection)));
        match result {
            Ok(Ok(value)) => outcome = Some(Ok(value)),
            Ok(Err(error)) => outcome = Some(Err(DbError::of_query(error))),
            Err(_panic) => outcome = Some(Err(DbError::Query(DieselError::RollbackTransaction))),
        }
        match outcome {
            Some(Ok(_)) => Ok(()),
            _ => Err(DieselError::RollbackTransaction),
        }
    });
    match (outcome, kept) {
        (Some(outcome), Ok(()) | Err(DieselError::RollbackTransaction)) => Ok(outcome),
        (_, Err(error)) => Err(error),
        (None, Ok(())) => Err(DieselError::RollbackTransaction),
    }
}
