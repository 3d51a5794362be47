//! Creates a database for one test, and removes the database when the test no longer uses it.

use std::env;
use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use diesel::deserialize::QueryableByName;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Nullable, Text};
use harness::Postgres;
use tempfile::TempDir;

/// The two database engines that the server supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "tests match on both engines")]
pub enum Engine {
    /// SQLite, with a file in a temporary folder.
    Sqlite,
    /// PostgreSQL, with a new database on the server that `TEST_POSTGRES_URL` names.
    Postgres,
}

/// A database of one test. Dropping this value removes the database.
#[derive(Debug)]
pub struct Database(Location);

#[derive(Debug)]
enum Location {
    Folder(TempDir),
    /// The second value is the folder in which the mail folder is created.
    Server(Postgres, TempDir),
}

/// Creates a folder in the folder that the environment variable `TEST_DATABASES` names, by default in the folder for
/// temporary files. The checks set the variable to a folder in memory, because on a slow disk a server could respond
/// 503.
fn new_folder() -> TempDir {
    let parent = env::var_os("TEST_DATABASES").map_or_else(env::temp_dir, PathBuf::from);
    tempfile::tempdir_in(parent).unwrap()
}

impl Database {
    /// Creates a database without tables.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self(Location::Folder(new_folder())),
            Engine::Postgres => Self(Location::Server(Postgres::new(), new_folder())),
        }
    }

    /// The value of the setting `DATABASE_URL` for a server on this database.
    #[must_use]
    pub fn url(&self) -> String {
        match &self.0 {
            Location::Folder(folder) => format!("sqlite://{}", file_path(folder)),
            Location::Server(postgres, _) => postgres.database_url().into(),
        }
    }

    /// The folder to which the servers on this database write their mails. A server creates it with the first mail.
    #[must_use]
    pub fn mail_folder(&self) -> PathBuf {
        match &self.0 {
            Location::Folder(folder) | Location::Server(_, folder) => folder.path().join("mail"),
        }
    }

    /// Runs SQL statements directly in the database.
    pub fn execute(&self, statements: &str) {
        self.open_session().execute(statements);
    }

    /// Returns the single value of a query, as text; `None` for NULL and for no row.
    #[must_use]
    pub fn value(&self, query: &str) -> Option<String> {
        self.open_session().value(query)
    }

    /// Opens a connection that stays open between statements, for transactions and locks.
    #[must_use]
    pub fn open_session(&self) -> DatabaseSession {
        match &self.0 {
            Location::Folder(folder) => {
                let mut connection = SqliteConnection::establish(&file_path(folder)).unwrap();
                let timeout_statement = "PRAGMA busy_timeout = 5000";
                connection.batch_execute(timeout_statement).unwrap();
                DatabaseSession::Sqlite(connection)
            }
            Location::Server(..) => {
                DatabaseSession::Postgres(PgConnection::establish(&self.url()).unwrap())
            }
        }
    }
}

/// An open connection to a test's database.
#[expect(
    clippy::exhaustive_enums,
    missing_debug_implementations,
    reason = "tests match on both engines, and connections of diesel do not implement Debug"
)]
pub enum DatabaseSession {
    /// A connection to SQLite.
    Sqlite(SqliteConnection),
    /// A connection to PostgreSQL.
    Postgres(PgConnection),
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

impl DatabaseSession {
    /// Runs SQL statements.
    pub fn execute(&mut self, statements: &str) {
        let result = match self {
            Self::Sqlite(sqlite) => sqlite.batch_execute(statements),
            Self::Postgres(postgres) => postgres.batch_execute(statements),
        };
        result.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// Returns the single value of a query, as text; `None` for NULL and for no row.
    pub fn value(&mut self, query: &str) -> Option<String> {
        let select_query = sql_query(format!("SELECT CAST(({query}) AS TEXT) AS value"));
        let row: QueryResult<Row> = match self {
            Self::Sqlite(sqlite) => select_query.get_result(sqlite),
            Self::Postgres(postgres) => select_query.get_result(postgres),
        };
        row.unwrap_or_else(|error| panic!("{query}: {error}")).value
    }
}

fn file_path(folder: &TempDir) -> String {
    folder.path().join("e2e.db").display().to_string()
}
