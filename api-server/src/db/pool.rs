//! The connection pool, which checks idle connections before their next use and closes broken connections.

use std::time::{Duration, Instant};

use diesel::{ConnectionError, RunQueryDsl as _, sql_query};
use r2d2::{ManageConnection, PooledConnection};

use super::dialect;
use super::dialect::DbConnection;
use super::url::DatabaseUrl;
use crate::metrics::Metrics;

/// A connection that was idle for at least this time is checked with a query before its next use.
pub(super) const MAX_TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// Longest wait for a connection from the pool. The default of `r2d2`, 30 s, is longer than a request may wait.
const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(2);
/// A connection that was idle for this time is closed when the pool next checks, every 30 s. This frees its memory:
/// libpq keeps a buffer for the largest result of a connection.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);

pub(super) type Pool = r2d2::Pool<ConnectionManager>;

/// Creates a pool that opens connections when jobs need them. So this function neither waits nor fails while the
/// database is unavailable.
pub(super) fn new_pool(url: DatabaseUrl, size: u32) -> Pool {
    r2d2::Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        .connection_timeout(CHECKOUT_TIMEOUT)
        .idle_timeout(Some(IDLE_TIMEOUT))
        .build_unchecked(ConnectionManager { url })
}

/// Opens and checks connections for the pool.
pub(super) struct ConnectionManager {
    url: DatabaseUrl,
}

/// A connection and its state in the pool.
pub(super) struct PoolEntry {
    pub(super) connection: DbConnection,
    /// Whether the connection must be closed instead of reused.
    pub(super) must_close: bool,
    pub(super) last_used: Instant,
}

impl PoolEntry {
    /// Returns whether the connection may be used without a check.
    fn is_trusted(&mut self) -> bool {
        self.last_used.elapsed() < MAX_TRUSTED_IDLE && !self.is_broken()
    }

    fn is_broken(&mut self) -> bool {
        self.must_close || dialect::is_broken(&mut self.connection)
    }
}

/// Runs `SELECT 1`, to check that the connection works.
pub(crate) fn ping(connection: &mut DbConnection) -> diesel::QueryResult<()> {
    sql_query("SELECT 1").execute(connection).map(drop)
}

impl ManageConnection for ConnectionManager {
    type Connection = PoolEntry;
    type Error = PoolError;

    fn connect(&self) -> Result<PoolEntry, PoolError> {
        Ok(PoolEntry {
            connection: dialect::connect(&self.url).map_err(PoolError::Connect)?,
            must_close: false,
            last_used: Instant::now(),
        })
    }

    fn is_valid(&self, entry: &mut PoolEntry) -> Result<(), PoolError> {
        if entry.is_trusted() {
            return Ok(());
        }
        ping(&mut entry.connection).map_err(PoolError::Query)
    }

    fn has_broken(&self, entry: &mut PoolEntry) -> bool {
        std::thread::panicking() || entry.is_broken()
    }
}

/// The connection that a thread keeps between jobs, if any, and the pool from which the thread gets connections.
pub(super) struct ThreadConnection {
    pool: Pool,
    metrics: Metrics,
    entry: Option<PooledConnection<ConnectionManager>>,
}

impl ThreadConnection {
    pub(super) const fn new(pool: Pool, metrics: Metrics) -> Self {
        Self {
            pool,
            metrics,
            entry: None,
        }
    }

    /// Returns the kept connection if it is trusted, or else one from the pool. Also returns the metrics in which the
    /// wait for the connection is recorded.
    pub(super) fn entry(&mut self) -> Result<(&mut PoolEntry, &Metrics), r2d2::Error> {
        let mut kept_entry = self.entry.take();
        let trusted_entry = kept_entry.take_if(|entry| entry.is_trusted());
        // An untrusted connection goes back to the pool before the thread asks for another one, so that a pool at its
        // maximum size has a connection to check or replace.
        drop(kept_entry);
        let entry = trusted_entry.map_or_else(|| self.pool.get(), Ok)?;
        Ok((self.entry.insert(entry), &self.metrics))
    }

    /// Returns the connection to the pool for reuse.
    pub(super) fn release(&mut self) {
        self.entry = None;
    }

    /// Returns the connection to the pool, which then closes it.
    pub(super) fn discard(&mut self) {
        if let Some(mut entry) = self.entry.take() {
            entry.must_close = true;
        }
    }
}

/// The reason why the pool could not provide a working connection.
#[derive(Debug)]
pub(super) enum PoolError {
    Connect(ConnectionError),
    Query(diesel::result::Error),
}

impl std::fmt::Display for PoolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connect(error) => error.fmt(f),
            Self::Query(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PoolError {}
