//! One connection type for both engines, SQLite and PostgreSQL, and the SQL and settings that differ between them.

use std::path::Path;

use diesel::connection::{
    AnsiTransactionManager, DefaultLoadingMode, SimpleConnection as _, TransactionManager,
};
use diesel::deserialize::QueryableByName;
use diesel::migration::MigrationSource;
use diesel::pg::{Pg, PgRowByRowLoadingMode};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use super::error::BoxError;
use super::postgres;
use super::postgres_parameters::percent_encode;
use super::url::{DatabaseUrl, Location};
use crate::cores::cores;

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// The connection waits up to 2 s for another writer. A committed transaction is kept even after a power failure.
const SQLITE_SETUP: &str = "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; \
    PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
/// Makes migrations in several processes take turns; the wait for this has no time limit. The number of the lock is
/// arbitrary, but every process must use the same number. The migration itself waits at most 0.3 s for a lock on a
/// table, which for example a backup holds: during this wait, PostgreSQL makes requests of other servers for the table
/// wait too. In a deadlock, the migration gives up first, because PostgreSQL ends one side only after a second.
const MIGRATION_LOCK: &str = "SET LOCAL statement_timeout = 0; \
    SELECT pg_advisory_xact_lock(4711201120); SET LOCAL lock_timeout = '300ms'";

const NUMBER_REVOCATIONS: &str = include_str!("number_revocations.sql");

/// Starts a read-only transaction: one snapshot of all tables, at most 5 s of waiting for a lock, and no other limit.
const SQLITE_READ_SETUP: &str = "PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF; \
    PRAGMA query_only = ON; BEGIN;";
/// Does the same as [`SQLITE_READ_SETUP`] on PostgreSQL, with at most 10 s of waiting for a lock. The settings end with
/// the transaction, because a connection pooler, if any, gives the session to other clients afterwards.
const POSTGRES_READ_SETUP: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL TIME ZONE 'UTC'; \
    SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10s'; \
    SET LOCAL idle_in_transaction_session_timeout = 0;";

/// A connection to either engine.
#[derive(diesel::MultiConnection)]
#[expect(
    clippy::exhaustive_enums,
    missing_docs,
    reason = "the derive macro supports no other form"
)]
pub enum DbConnection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// Runs a query directly on the connection of the engine. This is faster than diesel's `MultiConnection`, which builds
/// the SQL text three times for each execution and wraps every value. Listing a page of tasks takes a fifth less time.
macro_rules! on_either_engine {
    ($connection:expr, |$either:ident| $query:expr) => {
        match $connection {
            $crate::db::DbConnection::Postgres($either) => $query,
            $crate::db::DbConnection::Sqlite($either) => $query,
        }
    };
}
pub(crate) use on_either_engine;

/// Opens a connection for reads and writes.
pub(super) fn connect(url: &DatabaseUrl) -> ConnectionResult<DbConnection> {
    match &url.0 {
        Location::File(path) => {
            let mut connection = SqliteConnection::establish(&path.to_string_lossy())?;
            connection
                .batch_execute(SQLITE_SETUP)
                .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(DbConnection::Sqlite(connection))
        }
        Location::Server(url) => postgres::connect(url).map(DbConnection::Postgres),
    }
}

/// Opens a SQLite file. Fails if the file does not exist.
pub(super) fn connect_to_existing_file(file: &Path) -> ConnectionResult<DbConnection> {
    let uri = format!("file:{}?mode=rw", percent_encode(file));
    SqliteConnection::establish(&uri).map(DbConnection::Sqlite)
}

/// Opens a connection that can only read, within one transaction that lasts as long as the connection.
pub(super) fn connect_to_read(url: &DatabaseUrl) -> ConnectionResult<DbConnection> {
    connect_read_only(url, "mode=ro")
}

/// Does the same as [`connect_to_read`] for a few short queries, but creates no files `-wal` and `-shm` if the SQLite
/// file has no `-wal`, or an empty one. If a process begins to write to the SQLite file at that moment, the queries may
/// fail.
pub(super) fn connect_to_inspect(url: &DatabaseUrl) -> ConnectionResult<DbConnection> {
    let log_file = url.file_with_suffix("-wal");
    let log_length = log_file
        .and_then(|file| file.metadata().ok())
        .map_or(0, |file| file.len());
    connect_read_only(
        url,
        if log_length > 0 {
            "mode=ro"
        } else {
            "immutable=1"
        },
    )
}

fn connect_read_only(url: &DatabaseUrl, sqlite_mode: &str) -> ConnectionResult<DbConnection> {
    let (mut connection, setup_sql) = match &url.0 {
        Location::File(path) => {
            let uri = format!("file:{}?{sqlite_mode}", percent_encode(path));
            let connection = SqliteConnection::establish(&uri)?;
            (DbConnection::Sqlite(connection), SQLITE_READ_SETUP)
        }
        Location::Server(url) => {
            let connection = postgres::connect(url)?;
            (DbConnection::Postgres(connection), POSTGRES_READ_SETUP)
        }
    };
    connection
        .batch_execute(setup_sql)
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Calls `handle_row` with each row as it arrives, so that memory does not grow with the number of rows.
pub(super) fn for_each_row<R, E>(
    connection: &mut DbConnection,
    sql: &str,
    mut handle_row: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E>
where
    R: QueryableByName<Pg> + QueryableByName<Sqlite> + 'static,
    E: From<diesel::result::Error>,
{
    let query = diesel::sql_query(sql);
    match connection {
        DbConnection::Postgres(postgres) => {
            for row in query.load_iter::<R, PgRowByRowLoadingMode>(postgres)? {
                handle_row(row?)?;
            }
        }
        DbConnection::Sqlite(sqlite) => {
            for row in query.load_iter::<R, DefaultLoadingMode>(sqlite)? {
                handle_row(row?)?;
            }
        }
    }
    Ok(())
}

/// SQL that differs between the engines. `{}` is replaced by a table name or an expression.
pub(super) struct EngineSql {
    /// Query of the integrity check. Column `c0` is `ok`, or describes the damage. Always `ok` on PostgreSQL.
    pub(super) integrity_check: &'static str,
    /// Query of the names (`c0`) and types (`c1`) of the columns of the quoted table `{}`; no rows if the table does
    /// not exist.
    pub(super) columns: &'static str,
    /// SQL expression for the bytes of the text `{}`.
    pub(super) text_as_bytes: &'static str,
    /// Query of the state of the database, for [`inspect`](super::inspection::inspect).
    pub(super) state: &'static str,
    /// Column types of times that `time_as_text` converts; none on SQLite.
    pub(super) time_types: &'static [&'static str],
    /// PostgreSQL expression for the time `{}` as text: `@` and microseconds since 1970. A time with a year outside 1
    /// to 9999 keeps the text format of PostgreSQL, which [`Timestamp::parse`](super::Timestamp::parse) then rejects.
    pub(super) time_as_text: &'static str,
}

const SQLITE_SQL: EngineSql = EngineSql {
    integrity_check: "SELECT CAST(quick_check AS BLOB) AS c0, NULL AS c1 FROM pragma_quick_check LIMIT 3",
    columns: "SELECT CAST(name AS BLOB) AS c0, CAST(lower(type) AS BLOB) AS c1 \
        FROM pragma_table_info(trim('{}', '\"'))",
    text_as_bytes: "CAST({} AS BLOB)",
    state: "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER) AS now_micros, FALSE AS is_standby, \
        TRUE AS may_create_tables, EXISTS (SELECT 1 FROM sqlite_master WHERE name = '__diesel_schema_migrations') \
        AS is_migrated",
    time_types: &[],
    time_as_text: "",
};
const POSTGRES_SQL: EngineSql = EngineSql {
    integrity_check: "SELECT CAST('ok' AS bytea) AS c0, CAST(NULL AS bytea) AS c1",
    columns: "SELECT convert_to(CAST(attname AS text), 'UTF8') AS c0, \
        convert_to(format_type(atttypid, NULL), 'UTF8') AS c1 FROM pg_attribute \
        WHERE attrelid = to_regclass('{}') AND attnum > 0 AND NOT attisdropped",
    text_as_bytes: "convert_to({}, 'UTF8')",
    state: "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint) AS now_micros, \
        pg_is_in_recovery() AS is_standby, \
        COALESCE(has_schema_privilege(current_schema(), 'CREATE'), FALSE) AS may_create_tables, \
        to_regclass('__diesel_schema_migrations') IS NOT NULL AS is_migrated",
    time_types: &[
        "timestamp with time zone",
        "timestamp without time zone",
        "date",
    ],
    time_as_text: "CASE WHEN {} >= '0001-01-01' AND {} < '10000-01-01' \
        THEN '@' || CAST(CAST(EXTRACT(EPOCH FROM {}) * 1000000 AS bigint) AS text) ELSE CAST({} AS text) END",
};

pub(super) fn engine_sql(connection: &DbConnection) -> &'static EngineSql {
    match connection {
        DbConnection::Postgres(_) => &POSTGRES_SQL,
        DbConnection::Sqlite(_) => &SQLITE_SQL,
    }
}

/// Returns the number of threads for jobs. With PostgreSQL, a thread mostly waits for the server, so each connection
/// has a thread. SQLite runs in this process, so it needs at most four threads per core: one account may use 40 % of
/// the threads, and can then keep every core busy. One connection is left for the writer.
pub(super) fn thread_count(url: &DatabaseUrl, connections: u32) -> u32 {
    match url.0 {
        Location::Server(_) => connections,
        Location::File(_) => {
            let max_useful_threads = u32::try_from(4 * cores()).unwrap_or(u32::MAX);
            connections.saturating_sub(1).clamp(1, max_useful_threads)
        }
    }
}

/// Returns whether this process must commit waiting writes together. SQLite has one writer at a time, which waits for
/// the disk at each commit. PostgreSQL commits waiting writes together by itself.
pub(super) fn needs_group_commit(url: &DatabaseUrl) -> bool {
    matches!(url.0, Location::File(_))
}

pub(super) struct EngineMigrations {
    pub(super) embedded: EmbeddedMigrations,
    /// Statement that makes migrations by other processes wait until the transaction ends. Empty for SQLite, where
    /// `BEGIN IMMEDIATE` is enough.
    pub(super) lock_sql: &'static str,
}

pub(super) fn migrations(connection: &DbConnection) -> EngineMigrations {
    match connection {
        DbConnection::Postgres(_) => EngineMigrations {
            embedded: POSTGRES_MIGRATIONS,
            lock_sql: MIGRATION_LOCK,
        },
        DbConnection::Sqlite(_) => EngineMigrations {
            embedded: SQLITE_MIGRATIONS,
            lock_sql: "",
        },
    }
}

/// Returns the versions of the migrations of this program.
pub(super) fn migration_versions(connection: &DbConnection) -> Result<Vec<String>, BoxError> {
    let embedded = migrations(connection).embedded;
    let migrations = MigrationSource::<MultiBackend>::migrations(&embedded)?;
    let versions = migrations
        .iter()
        .map(|migration| migration.name().version().to_string());
    Ok(versions.collect())
}

/// Runs `work` in a transaction that may read before it writes. On SQLite, the transaction takes the write lock at
/// once. Without that lock, as in `Connection::transaction`, the first write after a read would fail, without waiting,
/// if another connection has written since that read.
pub(crate) fn write_transaction<T, E: From<diesel::result::Error>>(
    connection: &mut DbConnection,
    work: impl FnOnce(&mut DbConnection) -> Result<T, E>,
) -> Result<T, E> {
    type Manager = <DbConnection as Connection>::TransactionManager;
    match connection {
        DbConnection::Sqlite(sqlite) => begin_immediate(sqlite)?,
        DbConnection::Postgres(postgres) => AnsiTransactionManager::begin_transaction(postgres)?,
    }
    match work(connection) {
        Ok(value) => {
            Manager::commit_transaction(connection)?;
            Ok(value)
        }
        Err(error) => {
            // Only the error of `work` is returned; the pool closes a connection that cannot roll back.
            let _rollback_error = Manager::rollback_transaction(connection);
            Err(error)
        }
    }
}

/// Waits for the lock of an account, an email address or a network, and keeps the lock until the transaction ends. Does
/// nothing on SQLite, which has only one writer at a time.
pub(crate) fn lock_until_commit(connection: &mut DbConnection, key: &str) -> QueryResult<()> {
    match connection {
        DbConnection::Sqlite(_) => Ok(()),
        DbConnection::Postgres(postgres) => {
            let lock_sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 4711201121))";
            let query = diesel::sql_query(lock_sql).bind::<diesel::sql_types::Text, _>(key);
            query.execute(postgres).map(drop)
        }
    }
}

/// Returns whether only one transaction at a time writes, so that transactions commit in the order of their writes.
pub(crate) fn has_single_writer(connection: &DbConnection) -> bool {
    matches!(connection, DbConnection::Sqlite(_))
}

/// Numbers revocations that have no number yet. Does nothing on SQLite, where the revoking transaction numbers them.
pub(crate) fn number_revocations(connection: &mut DbConnection) -> QueryResult<()> {
    match connection {
        DbConnection::Sqlite(_) => Ok(()),
        DbConnection::Postgres(postgres) => postgres.batch_execute(NUMBER_REVOCATIONS),
    }
}

/// Waits, without a time limit, until no other transaction writes to these tables, and then keeps others from writing
/// until the transaction ends. Does nothing on SQLite, which has only one writer at a time.
pub(crate) fn lock_for_restore(connection: &mut DbConnection, tables: &str) -> QueryResult<()> {
    match connection {
        DbConnection::Sqlite(_) => Ok(()),
        DbConnection::Postgres(postgres) => postgres.batch_execute(&format!(
            "SET LOCAL statement_timeout = 0; LOCK TABLE {tables} IN EXCLUSIVE MODE"
        )),
    }
}

/// Starts a transaction that takes the write lock at once; inside another transaction, starts a savepoint instead.
fn begin_immediate(sqlite: &mut SqliteConnection) -> QueryResult<()> {
    let status = AnsiTransactionManager::transaction_manager_status_mut(sqlite);
    match status.transaction_depth()? {
        None => AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE"),
        Some(_) => AnsiTransactionManager::begin_transaction(sqlite),
    }
}

/// Returns whether the connection must not be used again.
pub(super) fn is_broken(connection: &mut DbConnection) -> bool {
    use diesel::r2d2::R2D2Connection as _;
    match connection {
        DbConnection::Postgres(postgres) => postgres.is_broken(),
        DbConnection::Sqlite(sqlite) => sqlite.is_broken(),
    }
}
