//! The threads that wait for the database, so that no async thread does. Each keeps its connection while there is work:
//! under load they go from job to job without a lock or a sleep between.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::Builder;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use tokio::sync::oneshot;

use super::error::DbError;
use super::pool::{Lease, Pool, TRUSTED_IDLE};

/// How many jobs may wait; more are turned away.
const QUEUE: usize = 1024;

type Job = Box<dyn FnOnce(&mut Lease) + Send>;

/// The way to the threads, which end with the last clone.
#[derive(Clone)]
pub(super) struct Threads(Sender<Job>);

impl Threads {
    pub(super) fn start(count: u32, pool: &Pool) -> io::Result<Self> {
        let (sender, jobs) = bounded(QUEUE);
        for _ in 0..count {
            let (jobs, lease) = (Receiver::clone(&jobs), Lease::new(pool.clone()));
            Builder::new()
                .name("db".to_owned())
                .spawn(move || work_until_closed(&jobs, lease))?;
        }
        Ok(Self(sender))
    }

    /// Runs a job when a thread is free, unless by then nobody waits for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Lease) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, DbError> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move |lease: &mut Lease| {
            if !reply.is_closed() {
                let outcome = job(lease);
                // The caller may have stopped waiting meanwhile.
                let _gone = reply.send(outcome);
            }
        });
        self.0.try_send(job).map_err(|_full| DbError::Overloaded)?;
        answer
            .await
            .map_err(|_dropped| DbError::Unavailable("the query panicked".to_owned()))?
    }
}

fn work_until_closed(jobs: &Receiver<Job>, mut lease: Lease) {
    while let Some(job) = next(jobs, &mut lease) {
        if catch_unwind(AssertUnwindSafe(|| job(&mut lease))).is_err() {
            lease.discard();
        }
    }
}

/// Gives the connection back before it waits for long.
fn next(jobs: &Receiver<Job>, lease: &mut Lease) -> Option<Job> {
    match jobs.recv_timeout(TRUSTED_IDLE) {
        Ok(job) => Some(job),
        Err(RecvTimeoutError::Disconnected) => None,
        Err(RecvTimeoutError::Timeout) => {
            lease.end();
            jobs.recv().ok()
        }
    }
}
