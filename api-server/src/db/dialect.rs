//! The two engines under one connection type. The only file that asks which of them it has.

use std::path::Path;

use diesel::connection::{
    AnsiTransactionManager, DefaultLoadingMode, SimpleConnection as _, TransactionManager,
};
use diesel::deserialize::QueryableByName;
use diesel::pg::{Pg, PgRowByRowLoadingMode};
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};

use super::url::{DatabaseUrl, Target};
use crate::cores::cores;

const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Waits up to 2 s for another writer, keeps the last commit through a power loss.
const SQLITE_SETUP: &str = "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; \
    PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
/// A statement that runs this long has outlived the request that asked for it.
const POSTGRES_SETUP: &str = "SET TIME ZONE 'UTC'; SET statement_timeout = '5s';";
/// Any number will do, as long as every process takes the same.
const MIGRATION_LOCK: &str = "SELECT pg_advisory_xact_lock(4711201120)";

/// Reads one snapshot of the whole database, without a time limit. Another process holds a lock for long only while it
/// migrates.
const SQLITE_READ_SETUP: &str = "PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF; \
    PRAGMA query_only = ON; BEGIN;";
const POSTGRES_READ_SETUP: &str = "SET TIME ZONE 'UTC'; SET statement_timeout = 0; SET lock_timeout = '10s'; \
    SET idle_in_transaction_session_timeout = 0; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;";

/// What libpq should do unless the URL says otherwise: give up on a silent server within seconds.
const POSTGRES_DEFAULTS: &[(&str, &str)] = &[
    ("connect_timeout", "2"),
    ("tcp_user_timeout", "5000"),
    ("keepalives_idle", "10"),
    ("application_name", "api-server"),
];

/// A connection to either engine.
#[derive(diesel::MultiConnection)]
#[expect(
    clippy::exhaustive_enums,
    missing_docs,
    reason = "the derive needs it plain"
)]
pub enum DbConnection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// The same query on the connection itself. The derive's way builds the statement's text three times an execution and
/// wraps every value, which for a page of tasks is a fifth of the work.
macro_rules! on_either_engine {
    ($connection:expr, |$either:ident| $query:expr) => {
        match $connection {
            $crate::db::DbConnection::Postgres($either) => $query,
            $crate::db::DbConnection::Sqlite($either) => $query,
        }
    };
}
pub(crate) use on_either_engine;

pub(super) fn connect(url: &DatabaseUrl) -> ConnectionResult<DbConnection> {
    match &url.0 {
        Target::File(path) => {
            let mut connection = SqliteConnection::establish(&path.to_string_lossy())?;
            connection
                .batch_execute(SQLITE_SETUP)
                .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(DbConnection::Sqlite(connection))
        }
        Target::Server(url) => {
            let mut connection = PgConnection::establish(&with_defaults(url))?;
            connection
                .batch_execute(POSTGRES_SETUP)
                .map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(DbConnection::Postgres(connection))
        }
    }
}

/// A connection that cannot write, within a transaction that lasts as long as it does.
pub(super) fn connect_to_read(url: &DatabaseUrl) -> ConnectionResult<DbConnection> {
    let (mut connection, setup) = match &url.0 {
        Target::File(path) => {
            let path = format!("file:{}?mode=ro", percent_encode(path));
            let connection = SqliteConnection::establish(&path)?;
            (DbConnection::Sqlite(connection), SQLITE_READ_SETUP)
        }
        Target::Server(url) => {
            let connection = PgConnection::establish(&with_defaults(url))?;
            (DbConnection::Postgres(connection), POSTGRES_READ_SETUP)
        }
    };
    connection
        .batch_execute(setup)
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Gives the rows one by one, without keeping them.
pub(super) fn for_each<R, E>(
    connection: &mut DbConnection,
    sql: &str,
    mut each: impl FnMut(R) -> Result<(), E>,
) -> Result<(), E>
where
    R: QueryableByName<Pg> + QueryableByName<Sqlite> + 'static,
    E: From<diesel::result::Error>,
{
    let query = diesel::sql_query(sql);
    match connection {
        DbConnection::Postgres(postgres) => {
            for row in query.load_iter::<R, PgRowByRowLoadingMode>(postgres)? {
                each(row?)?;
            }
        }
        DbConnection::Sqlite(sqlite) => {
            for row in query.load_iter::<R, DefaultLoadingMode>(sqlite)? {
                each(row?)?;
            }
        }
    }
    Ok(())
}

/// How an engine says what the other says in another way.
pub(super) struct EngineSql {
    /// Column `c0`: `ok`, or what is broken.
    pub(super) health: &'static str,
    /// Columns `c0` and `c1`: names and types of the columns of the table `{}`, which is quoted; none if there is no table.
    pub(super) columns: &'static str,
    /// The bytes of the text `{}`.
    pub(super) bytes: &'static str,
    /// The time `{}` as text, where it is kept in one of these types.
    pub(super) time: (&'static [&'static str], &'static str),
}

const SQLITE_SQL: EngineSql = EngineSql {
    health: "SELECT CAST(quick_check AS BLOB) AS c0, NULL AS c1 FROM pragma_quick_check LIMIT 3",
    columns: "SELECT CAST(name AS BLOB) AS c0, CAST(lower(type) AS BLOB) AS c1 \
        FROM pragma_table_info(trim('{}', '\"'))",
    bytes: "CAST({} AS BLOB)",
    time: (&[], ""),
};
/// Years that a text of four digits cannot say are left as PostgreSQL writes them.
const POSTGRES_SQL: EngineSql = EngineSql {
    health: "SELECT CAST('ok' AS bytea) AS c0, CAST(NULL AS bytea) AS c1",
    columns: "SELECT convert_to(CAST(attname AS text), 'UTF8') AS c0, \
        convert_to(format_type(atttypid, NULL), 'UTF8') AS c1 FROM pg_attribute \
        WHERE attrelid = to_regclass('{}') AND attnum > 0 AND NOT attisdropped",
    bytes: "convert_to({}, 'UTF8')",
    time: (
        &[
            "timestamp with time zone",
            "timestamp without time zone",
            "date",
        ],
        "CASE WHEN {} >= '0001-01-01' AND {} < '10000-01-01' \
        THEN '@' || CAST(CAST(EXTRACT(EPOCH FROM {}) * 1000000 AS bigint) AS text) ELSE CAST({} AS text) END",
    ),
};

pub(super) fn engine_sql(connection: &DbConnection) -> &'static EngineSql {
    match connection {
        DbConnection::Postgres(_) => &POSTGRES_SQL,
        DbConnection::Sqlite(_) => &SQLITE_SQL,
    }
}

/// How many threads use the `connections`. PostgreSQL is waited for; SQLite works on our own cores, where more threads
/// would only take turns, and leaves one connection to the writer.
pub(super) fn useful_threads(url: &DatabaseUrl, connections: u32) -> u32 {
    match url.0 {
        Target::Server(_) => connections,
        Target::File(_) => {
            let useful = u32::try_from(cores() + 1).unwrap_or(u32::MAX);
            connections.saturating_sub(1).clamp(1, useful)
        }
    }
}

/// SQLite has one writer at a time and pays for the disk at every commit, so its writes are queued and committed
/// together; PostgreSQL does that itself.
pub(super) fn commits_together(url: &DatabaseUrl) -> bool {
    matches!(url.0, Target::File(_))
}

/// The engine's own migrations, and the statement that keeps other processes from running them too; SQLite's
/// `BEGIN IMMEDIATE` already does.
pub(super) fn migrations(connection: &DbConnection) -> (EmbeddedMigrations, &'static str) {
    match connection {
        DbConnection::Postgres(_) => (POSTGRES_MIGRATIONS, MIGRATION_LOCK),
        DbConnection::Sqlite(_) => (SQLITE_MIGRATIONS, ""),
    }
}

/// A transaction that may read before it writes. `Connection::transaction` is `BEGIN DEFERRED` on SQLite, where the
/// step from reading to writing fails under load, whatever the time-out.
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
            // The first error is the one to report; a connection that cannot roll back is dropped by the pool.
            let _also_failed = Manager::rollback_transaction(connection);
            Err(error)
        }
    }
}

/// Lets the transaction go on when no other one holds this account's lock; SQLite has one writer anyway.
pub(crate) fn lock_account(connection: &mut DbConnection, id: &str) -> QueryResult<()> {
    match connection {
        DbConnection::Sqlite(_) => Ok(()),
        DbConnection::Postgres(postgres) => {
            let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 4711201121))";
            let query = diesel::sql_query(lock).bind::<diesel::sql_types::Text, _>(id);
            query.execute(postgres).map(drop)
        }
    }
}

/// Within a transaction it is a savepoint.
fn begin_immediate(sqlite: &mut SqliteConnection) -> QueryResult<()> {
    let status = AnsiTransactionManager::transaction_manager_status_mut(sqlite);
    match status.transaction_depth()? {
        None => AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE"),
        Some(_) => AnsiTransactionManager::begin_transaction(sqlite),
    }
}

/// Whether the pool must not use the connection again.
pub(super) fn is_broken(connection: &mut DbConnection) -> bool {
    use diesel::r2d2::R2D2Connection as _;
    match connection {
        DbConnection::Postgres(postgres) => postgres.is_broken(),
        DbConnection::Sqlite(sqlite) => sqlite.is_broken(),
    }
}

fn with_defaults(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in POSTGRES_DEFAULTS {
        if parameter(&url, name).is_none() {
            push_parameter(&mut url, name, value);
        }
    }
    if wants_system_certificates(&url)
        && let Some(file) = openssl_probe::probe().cert_file
    {
        push_parameter(&mut url, "sslrootcert", &percent_encode(&file));
    }
    url
}

/// The vendored OpenSSL looks for certificates where it was built, not where this system keeps them.
fn wants_system_certificates(url: &str) -> bool {
    let verifies = matches!(parameter(url, "sslmode"), Some("verify-ca" | "verify-full"));
    let named = parameter(url, "sslrootcert").is_some_and(|file| file != "system");
    verifies && !named
}

fn parameter<'u>(url: &'u str, name: &str) -> Option<&'u str> {
    let (_, query) = url.split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

fn push_parameter(url: &mut String, name: &str, value: &str) {
    let separator = if url.contains('?') { '&' } else { '?' };
    url.extend([separator.encode_utf8(&mut [0; 4]), name, "=", value]);
}

fn percent_encode(path: &Path) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in path.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _infallible = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{parameter, with_defaults};

    #[test]
    fn what_the_url_says_is_kept() {
        let url = with_defaults("postgres://h/d?connect_timeout=9");
        assert_eq!(parameter(&url, "connect_timeout"), Some("9"));
        assert_eq!(parameter(&url, "tcp_user_timeout"), Some("5000"));
    }

    #[test]
    fn verify_full_is_given_the_systems_certificates_unless_it_names_its_own() {
        let url = with_defaults("postgres://h/d?sslmode=verify-full");
        let probed = openssl_probe::probe().cert_file;
        assert_eq!(
            parameter(&url, "sslrootcert").map(ToOwned::to_owned),
            probed.map(|file| file.display().to_string())
        );
        let named = with_defaults("postgres://h/d?sslmode=verify-full&sslrootcert=/ca.pem");
        assert_eq!(named.matches("sslrootcert").count(), 1);
        assert!(!with_defaults("postgres://h/d?sslmode=require").contains("sslrootcert"));
    }
}
