//! From async code to a blocking connection and back, within bounds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::result::QueryResult;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::DbConnection;
use super::dialect;
use super::error::DbError;
use super::pool::{Pool, Pooled, pool};
use super::url::DatabaseUrl;
use super::writer::Writer;

/// How many requests may wait for a connection before the next is turned away.
const QUEUE: usize = 1024;
/// How long a request waits for the database altogether.
const PATIENCE: Duration = Duration::from_millis(2500);

/// The database, as async code sees it. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    queue: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    /// Where the engine gains from committing writes together.
    writer: Option<Writer>,
}

impl Db {
    /// Prepares a pool of `connections`; opens none yet.
    ///
    /// # Errors
    ///
    /// If the operating system gives no thread.
    pub fn new(url: DatabaseUrl, connections: u32) -> std::io::Result<Self> {
        let count = usize::try_from(connections).unwrap_or(Semaphore::MAX_PERMITS);
        let together = dialect::commits_together(&url);
        let pool = pool(url, connections);
        Ok(Self {
            queue: Arc::new(Semaphore::new(QUEUE)),
            connections: Arc::new(Semaphore::new(count)),
            writer: together.then(|| Writer::start(pool.clone())).transpose()?,
            pool,
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
        self.bounded(self.on_a_thread(job)).await
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
            Some(writer) => self.bounded(writer.write(job)).await,
            None => self.bounded(self.on_a_thread(job)).await,
        }
    }

    async fn bounded<T>(
        &self,
        answer: impl Future<Output = Result<T, DbError>>,
    ) -> Result<T, DbError> {
        let Ok(_place) = self.queue.try_acquire() else {
            return Err(DbError::Overloaded);
        };
        timeout(PATIENCE, answer).await.unwrap_or_else(|_elapsed| {
            Err(DbError::Unavailable(format!("no answer in {PATIENCE:?}")))
        })
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut DbConnection) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let deadline = Instant::now() + PATIENCE;
        let connected = Arc::clone(&self.connections).acquire_owned().await;
        let connected = connected.map_err(|closed| DbError::Unavailable(closed.to_string()))?;
        let pool = self.pool.clone();
        spawn_blocking(move || {
            // Held until the job really ends, also when nobody waits for it any more.
            let _permit = connected;
            on_a_connection(&pool, deadline, job)
        })
        .await
        .map_err(|died| DbError::Unavailable(died.to_string()))?
    }
}

fn on_a_connection<T>(
    pool: &Pool,
    deadline: Instant,
    job: impl FnOnce(&mut DbConnection) -> QueryResult<T>,
) -> Result<T, DbError> {
    let mut pooled = pool
        .get()
        .map_err(|error| DbError::Unavailable(error.to_string()))?;
    // The caller has been told to try again by now; what is not begun must not happen after all.
    if Instant::now() >= deadline {
        return Err(DbError::Unavailable(
            "a connection came too late".to_owned(),
        ));
    }
    let result = job(&mut pooled.connection);
    pooled.last_used = Instant::now();
    result.map_err(|error| diagnose(error, &mut pooled))
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
