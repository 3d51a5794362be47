//! From async code to a blocking connection and back, within bounds.

use std::io;
use std::time::{Duration, Instant};

use diesel::result::QueryResult;
use tokio::time::timeout;

use super::DbConnection;
use super::dialect;
use super::error::DbError;
use super::pool::{Lease, Pooled, pool};
use super::threads::Threads;
use super::url::DatabaseUrl;
use super::writer::Writer;

/// How long a request waits for the database altogether.
const PATIENCE: Duration = Duration::from_millis(2500);

/// The database, as async code sees it. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    threads: Threads,
    /// Where the engine gains from committing writes together.
    writer: Option<Writer>,
}

impl Db {
    /// Prepares a pool of `connections` (on SQLite at least 2); opens none yet.
    ///
    /// # Errors
    ///
    /// If the operating system gives no thread.
    pub fn new(url: DatabaseUrl, connections: u32) -> io::Result<Self> {
        let together = dialect::commits_together(&url);
        let threads = dialect::useful_threads(&url, connections);
        // Also where one is all that is allowed, reads and writes do not wait for each other's connection.
        let pool = pool(url, connections.max(threads + u32::from(together)));
        Ok(Self {
            threads: Threads::start(threads, &pool)?,
            writer: together.then(|| Writer::start(pool)).transpose()?,
        })
    }

    /// Runs queries that only read.
    ///
    /// # Errors
    ///
    /// [`DbError`]; within 3 s, even if the database hangs. A job that has begun may then still end in the background.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        within_patience(self.on_a_thread(job)).await
    }

    /// Runs queries that write.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run). Several statements that belong together still need `write_transaction`.
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        match &self.writer {
            Some(writer) => within_patience(writer.write(job)).await,
            None => within_patience(self.on_a_thread(job)).await,
        }
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let deadline = Instant::now() + PATIENCE;
        self.threads
            .run(move |lease| on_a_connection(lease, deadline, job))
            .await
    }
}

async fn within_patience<T>(
    answer: impl Future<Output = Result<T, DbError>>,
) -> Result<T, DbError> {
    timeout(PATIENCE, answer)
        .await
        .unwrap_or_else(|_elapsed| Err(DbError::Unavailable(format!("no answer in {PATIENCE:?}"))))
}

fn on_a_connection<T>(
    lease: &mut Lease,
    deadline: Instant,
    job: impl FnOnce(&mut DbConnection) -> QueryResult<T>,
) -> Result<T, DbError> {
    let pooled = lease
        .connection()
        .map_err(|error| DbError::Unavailable(error.to_string()))?;
    // The caller has been told to try again by now; what is not begun must not happen after all.
    if Instant::now() >= deadline {
        return Err(DbError::Unavailable(
            "a connection came too late".to_owned(),
        ));
    }
    let result = job(&mut pooled.connection);
    pooled.last_used = Instant::now();
    result.map_err(|error| diagnose(error, pooled))
}

/// A query error on a dead connection is the connection's fault.
fn diagnose(error: diesel::result::Error, pooled: &mut Pooled) -> DbError {
    if matches!(error, diesel::result::Error::NotFound) {
        return DbError::Query(error);
    }
    if pooled.answers().is_err() {
        pooled.broken = true;
        return DbError::Unavailable(error.to_string());
    }
    DbError::of_query(error)
}
