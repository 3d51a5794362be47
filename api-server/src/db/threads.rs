//! The threads that wait for the database, so that no async thread does. Each keeps its connection while there is work:
//! under load they go from job to job without a sleep between.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::Builder;

use tokio::sync::oneshot;

use super::account_queue::{AccountKey, AccountQueue, Next, QueueFull, QueueLimits, Served};
use super::error::DbError;
use super::pool::{Lease, Pool, TRUSTED_IDLE};

/// How many jobs may wait; more are turned away.
const QUEUE: usize = 1024;
/// How many jobs of one account may wait.
const QUEUE_PER_ACCOUNT: usize = 256;
/// An account holds one of this many threads at a time.
const THREAD_SHARE_DIVISOR: usize = 4;

/// Tells whether the database was there for it.
type Job = Box<dyn FnOnce(&mut Lease) -> bool + Send>;

/// The way to the threads, which end with the last clone.
#[derive(Clone)]
pub(super) struct Threads(Arc<Closing>);

struct Closing(Arc<AccountQueue<Job>>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Threads {
    pub(super) fn start(count: u32, pool: &Pool) -> io::Result<Self> {
        let threads = usize::try_from(count).unwrap_or(usize::MAX);
        let queue = Arc::new(AccountQueue::new(QueueLimits {
            waiting: QUEUE,
            waiting_per_account: QUEUE_PER_ACCOUNT,
            running_per_account: (threads / THREAD_SHARE_DIVISOR).max(1),
        }));
        let threads = Self(Arc::new(Closing(Arc::clone(&queue))));
        for _ in 0..count {
            let (queue, lease) = (Arc::clone(&queue), Lease::new(pool.clone()));
            Builder::new()
                .name("db".to_owned())
                .spawn(move || work_until_closed(&queue, lease))?;
        }
        Ok(threads)
    }

    /// Queues a job, which runs when it has its turn and a thread is free, unless its caller has stopped waiting by then.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        account: Option<AccountKey>,
        job: impl FnOnce(&mut Lease) -> Result<T, DbError> + Send + 'static,
    ) -> Result<Pending<T>, DbError> {
        let (reply, response) = oneshot::channel();
        let job = Box::new(move |lease: &mut Lease| {
            if reply.is_closed() {
                return false;
            }
            let outcome = job(lease);
            let was_served = !matches!(outcome, Err(DbError::Unavailable(_)));
            // The caller may have stopped waiting meanwhile.
            let _gone = reply.send(outcome);
            was_served
        });
        let served = self.0.0.push(job, account)?;
        Ok(Pending { response, served })
    }
}

/// What a caller waits for. If the sender is dropped, the job panicked or could not be committed.
pub(super) struct Pending<T> {
    pub(super) response: oneshot::Receiver<Result<T, DbError>>,
    pub(super) served: Option<Served>,
}

impl From<QueueFull> for DbError {
    fn from(full: QueueFull) -> Self {
        match full {
            QueueFull::Queue => Self::Overloaded,
            QueueFull::Account => Self::AccountBusy,
        }
    }
}

fn work_until_closed(queue: &AccountQueue<Job>, mut lease: Lease) {
    while let Some((job, account)) = next(queue, &mut lease) {
        let ran = catch_unwind(AssertUnwindSafe(|| job(&mut lease)));
        if ran.is_err() {
            lease.discard();
        }
        queue.finish(account, ran.unwrap_or_default());
    }
}

/// Gives the connection back before it waits for long.
fn next(queue: &AccountQueue<Job>, lease: &mut Lease) -> Option<(Job, Option<AccountKey>)> {
    let mut next = queue.pop(Some(TRUSTED_IDLE));
    if matches!(next, Next::Idle) {
        lease.end();
        next = queue.pop(None);
    }
    match next {
        Next::Job(job, account) => Some((job, account)),
        Next::Idle | Next::Closed => None,
    }
}
