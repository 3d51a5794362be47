//! Creates a database for one test, on the PostgreSQL server that `TEST_POSTGRES_URL` names.

use std::env;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use url::Url;
use uuid::Uuid;

/// A new database. Dropping this value drops the database.
#[derive(Debug)]
pub struct Postgres {
    server_url: Url,
    name: String,
}

impl Postgres {
    /// Creates an empty database.
    #[expect(clippy::new_without_default, reason = "it creates a database")]
    pub fn new() -> Self {
        let server_url_text =
            env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL (see CONTRIBUTING)");
        let postgres = Self {
            server_url: Url::parse(&server_url_text)
                .expect("postgres://USER:PASSWORD@HOST/DATABASE"),
            name: format!("test_{}", Uuid::new_v4().simple()),
        };
        postgres.execute_on_server(&format!("CREATE DATABASE {}", postgres.name));
        postgres
    }

    /// The URL of the database.
    pub fn database_url(&self) -> Url {
        let mut url = self.server_url.clone();
        url.set_path(&self.name);
        url
    }

    /// Returns the URL of the database. If `TEST_POSTGRES_URL` has no password, adds `password`, which a PostgreSQL
    /// server that requires none ignores.
    pub fn url_with_password(&self, password: &str) -> String {
        let mut url = self.database_url();
        if url.password().is_none() {
            url.set_password(Some(password)).unwrap();
        }
        url.into()
    }

    /// Runs SQL statements in this database.
    pub fn execute(&self, statements: &str) {
        let mut connection = PgConnection::establish(self.database_url().as_str()).unwrap();
        let result = connection.batch_execute(statements);
        result.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// Makes PostgreSQL reject new connections to this database, and ends the open connections.
    pub fn reject_connections(&self) {
        let name = &self.name;
        // Two calls, because the statements of one call are one transaction: a connection that is opened before its
        // commit would stay open.
        self.execute_on_server(&format!(
            "ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"
        ));
        self.execute_on_server(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ));
    }

    fn execute_on_server(&self, statement: &str) {
        let mut connection = PgConnection::establish(self.server_url.as_str()).unwrap();
        connection.batch_execute(statement).unwrap();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let result = PgConnection::establish(self.server_url.as_str())
            .map(|mut connection| connection.batch_execute(&statement));
        // A panic during a panic would abort the process with all its tests.
        let is_dropped = matches!(result, Ok(Ok(())));
        assert!(is_dropped || std::thread::panicking(), "{result:?}");
    }
}
