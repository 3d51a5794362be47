//! The connection pool. It checks connections that were idle, and closes broken ones.

use std::time::{Duration, Instant};

use diesel::{ConnectionError, RunQueryDsl as _, sql_query};
use r2d2::{ManageConnection, PooledConnection};

use super::dialect;
use super::dialect::DbConnection;
use super::url::DatabaseUrl;

/// A connection that was idle for longer than this is checked with a query before its next use.
pub(super) const MAX_TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// Longest wait for a connection from the pool. The default of `r2d2`, 30 s, is longer than a request may wait.
const CHECKOUT_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) type Pool = r2d2::Pool<ConnectionManager>;

/// Creates the pool. Its connections are opened when they are first needed, so this neither waits nor fails while the
/// database is unavailable.
pub(super) fn pool(url: DatabaseUrl, size: u32) -> Pool {
    r2d2::Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        .connection_timeout(CHECKOUT_TIMEOUT)
        .build_unchecked(ConnectionManager { url })
}

/// Opens and checks connections for the pool.
pub(super) struct ConnectionManager {
    url: DatabaseUrl,
}

/// A connection and its state in the pool.
pub(super) struct Pooled {
    pub(super) connection: DbConnection,
    /// Whether the connection must be closed instead of reused.
    pub(super) must_close: bool,
    pub(super) last_used: Instant,
}

impl Pooled {
    /// Whether the connection may be used without a check.
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
    type Connection = Pooled;
    type Error = PoolError;

    fn connect(&self) -> Result<Pooled, PoolError> {
        Ok(Pooled {
            connection: dialect::connect(&self.url).map_err(PoolError::Connect)?,
            must_close: false,
            last_used: Instant::now(),
        })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), PoolError> {
        if pooled.is_trusted() {
            return Ok(());
        }
        ping(&mut pooled.connection).map_err(PoolError::Query)
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        std::thread::panicking() || pooled.is_broken()
    }
}

/// The connection that a thread keeps between jobs, and the pool to take one from.
pub(super) struct Lease {
    pool: Pool,
    connection: Option<PooledConnection<ConnectionManager>>,
}

impl Lease {
    pub(super) const fn new(pool: Pool) -> Self {
        Self {
            pool,
            connection: None,
        }
    }

    /// The kept connection if it is trusted, else a connection from the pool, which the pool has checked.
    pub(super) fn connection(&mut self) -> Result<&mut Pooled, r2d2::Error> {
        let mut kept = self.connection.take();
        let trusted = kept.take_if(|pooled| pooled.is_trusted());
        // Returns an untrusted connection first, so that the pool can check it and lend it again, or replace it.
        drop(kept);
        let connection = trusted.map_or_else(|| self.pool.get(), Ok)?;
        Ok(self.connection.insert(connection))
    }

    /// Returns the connection to the pool for reuse.
    pub(super) fn release(&mut self) {
        self.connection = None;
    }

    /// Returns the connection to the pool to be closed.
    pub(super) fn discard(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            connection.must_close = true;
        }
    }
}

/// Why the pool could not provide a working connection.
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
