//! A thread that commits waiting writes together, in one transaction (group commit). SQLite waits for the disk once per
//! commit, so under load more writes per second are stored than with a commit for each write.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use diesel::result::{Error as DieselError, QueryResult};
use tokio::sync::oneshot;

use super::DbConnection;
use super::account_queue::{
    AccountKey, AccountQueue, ClosingQueue, NextJob, QueueLimits, WaitingJobLimits,
};
use super::dialect::write_transaction;
use super::error::DbError;
use super::pool::{Pool, PoolEntry};
use super::threads::PendingJob;
use crate::metrics::{Metrics, Wait};

/// Maximum number of writes in one transaction.
const MAX_BATCH: usize = 128;

/// A write, which returns a callback that is called after the commit. If the transaction fails, the callback is dropped
/// instead, and the caller receives [`DbError::Unavailable`].
type QueuedWrite = Box<dyn FnOnce(&mut DbConnection) -> QueryResult<CommitCallback> + Send>;
/// Sends the result of a write to its caller.
type CommitCallback = Box<dyn FnOnce() + Send>;

/// Submits writes to the writer thread. Cheap to clone; the thread ends after the last clone is dropped.
#[derive(Clone)]
pub(super) struct Writer {
    queue: Arc<ClosingQueue<QueuedWrite>>,
    metrics: Metrics,
}

impl Writer {
    pub(super) fn start(
        waiting: WaitingJobLimits,
        pool: Pool,
        metrics: Metrics,
    ) -> std::io::Result<Self> {
        let queue = Arc::new(AccountQueue::new(QueueLimits {
            waiting,
            // No limit, because a single thread runs all writes one after the other.
            running_per_account: usize::MAX,
            running_per_network: usize::MAX,
        }));
        let writer = Self {
            queue: Arc::new(ClosingQueue(Arc::clone(&queue))),
            metrics,
        };
        std::thread::Builder::new()
            .name("db-writer".to_owned())
            .spawn(move || write_until_closed(&pool, &queue))?;
        Ok(writer)
    }

    /// Returns the number of writes that wait.
    pub(super) fn waiting_count(&self) -> usize {
        self.queue.0.waiting_count()
    }

    /// Queues a write. The write is skipped if its caller has stopped waiting before the write starts.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        account: Option<AccountKey>,
        work: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<PendingJob<T>, DbError> {
        let (sender, receiver) = oneshot::channel();
        let (metrics, queued_at) = (self.metrics.clone(), Instant::now());
        let write: QueuedWrite = Box::new(move |connection| {
            metrics.record_wait_since(Wait::DatabaseWriter, queued_at);
            // A caller that has stopped waiting may have received an error, so the write must not happen later.
            if sender.is_closed() {
                return Ok(Box::new(|| {}));
            }
            let outcome = run_in_savepoint(connection, work)?;
            Ok(Box::new(move || {
                // Sending fails if the caller has stopped waiting.
                let _caller_gone = sender.send(outcome);
            }))
        });
        let served_job_counter = self.queue.0.push(write, account)?;
        Ok(PendingJob {
            receiver,
            served_job_counter,
        })
    }
}

fn write_until_closed(pool: &Pool, queue: &AccountQueue<QueuedWrite>) {
    while let NextJob::Job(write, account) = queue.pop(None, None) {
        let (mut batch, mut accounts) = (vec![write], vec![account]);
        while batch.len() < MAX_BATCH
            && let Some((write, account)) = queue.try_pop()
        {
            batch.push(write);
            accounts.push(account);
        }
        let callbacks = match pool.get() {
            Ok(mut entry) => write_batch(&mut entry, batch),
            Err(error) => {
                log::error!("writes rejected count={} cause={error:?}", batch.len());
                None
            }
        };
        if let Some(callbacks) = callbacks {
            // All writes are counted before the first result is sent: see `count_served_job`.
            for account in accounts.iter().flatten() {
                account.count_served_job();
            }
            for send_result in callbacks {
                send_result();
            }
        }
        for account in accounts.iter().flatten() {
            queue.finish(account);
        }
    }
}

/// Runs the writes in one transaction and commits it. Returns their callbacks, or `None` if the transaction failed.
fn write_batch(entry: &mut PoolEntry, batch: Vec<QueuedWrite>) -> Option<Vec<CommitCallback>> {
    let count = batch.len();
    let result = write_transaction(&mut entry.connection, |connection| {
        batch
            .into_iter()
            .map(|write| write(connection))
            .collect::<QueryResult<Vec<CommitCallback>>>()
    });
    entry.last_used = Instant::now();
    match result {
        Ok(callbacks) => Some(callbacks),
        Err(error) => {
            entry.must_close = true;
            log::error!("writes not committed count={count} cause={error:?}");
            None
        }
    }
}

/// Runs one write in a savepoint, so that an error or a panic rolls back only this write. The outer result is an error
/// if the savepoint itself fails.
fn run_in_savepoint<T>(
    connection: &mut DbConnection,
    work: impl FnOnce(&mut DbConnection) -> QueryResult<T>,
) -> QueryResult<Result<T, DbError>> {
    let mut outcome = None;
    let savepoint_result = write_transaction(connection, |connection| {
        let result = catch_unwind(AssertUnwindSafe(|| work(connection)));
        match result {
            Ok(Ok(value)) => outcome = Some(Ok(value)),
            Ok(Err(error)) => outcome = Some(Err(DbError::from_query_error(error))),
            Err(_panic) => outcome = Some(Err(DbError::Query(DieselError::RollbackTransaction))),
        }
        match outcome {
            Some(Ok(_)) => Ok(()),
            _ => Err(DieselError::RollbackTransaction),
        }
    });
    match (outcome, savepoint_result) {
        (Some(outcome), Ok(()) | Err(DieselError::RollbackTransaction)) => Ok(outcome),
        (_, Err(error)) => Err(error),
        (None, Ok(())) => Err(DieselError::RollbackTransaction),
    }
}
