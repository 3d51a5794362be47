//! A database for one test, on the server of `TEST_POSTGRES_URL`.

use std::env;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use url::Url;
use uuid::Uuid;

/// A new database, dropped afterwards.
#[derive(Debug)]
pub struct Postgres {
    server: Url,
    name: String,
}

impl Postgres {
    /// Creates one.
    #[expect(clippy::new_without_default, reason = "it creates a database")]
    pub fn new() -> Self {
        let server = env::var("TEST_POSTGRES_URL").expect("TEST_POSTGRES_URL (see CONTRIBUTING)");
        let postgres = Self {
            server: Url::parse(&server).expect("postgres://USER:PASSWORD@HOST/DATABASE"),
            name: format!("test_{}", Uuid::new_v4().simple()),
        };
        postgres.administrate(&format!("CREATE DATABASE {}", postgres.name));
        postgres
    }

    /// The URL of the database.
    pub fn database_url(&self) -> Url {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        url
    }

    /// The URL of the database with a password, which a server with `trust` authentication ignores.
    pub fn url(&self, password: &str) -> String {
        let mut url = self.database_url();
        if url.password().is_none() {
            url.set_password(Some(password)).unwrap();
        }
        url.into()
    }

    /// Runs statements.
    pub fn execute(&self, statements: &str) {
        let mut connection = PgConnection::establish(self.database_url().as_str()).unwrap();
        let done = connection.batch_execute(statements);
        done.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// Rejects new connections, and ends the open ones.
    pub fn lock_out(&self) {
        let name = &self.name;
        self.administrate(&format!(
            "ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false; \
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}';"
        ));
    }

    fn administrate(&self, statement: &str) {
        let mut connection = PgConnection::establish(self.server.as_str()).unwrap();
        connection.batch_execute(statement).unwrap();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let dropped = PgConnection::establish(self.server.as_str())
            .map(|mut connection| connection.batch_execute(&drop));
        // A panic during a panic would hide the first panic.
        let is_gone = matches!(dropped, Ok(Ok(())));
        assert!(is_gone || std::thread::panicking(), "{dropped:?}");
    }
}
