//! A database of one's own on the PostgreSQL of the test run.

use std::env;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use url::Url;
use uuid::Uuid;

/// A new database, dropped afterwards.
pub(crate) struct Postgres {
    server: Url,
    name: String,
}

impl Postgres {
    pub(crate) fn new() -> Self {
        let server = env::var("TEST_POSTGRES_URL").unwrap();
        let postgres = Self {
            server: Url::parse(&server).unwrap(),
            name: format!("binary_{}", Uuid::new_v4().simple()),
        };
        postgres.administrate(&format!("CREATE DATABASE {}", postgres.name));
        postgres
    }

    /// The URL with a password in it, which a server that trusts everybody ignores.
    pub(crate) fn url(&self, password: &str) -> String {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        if url.password().is_none() {
            url.set_password(Some(password)).unwrap();
        }
        url.into()
    }

    pub(crate) fn execute(&self, statements: &str) {
        let mut connection = PgConnection::establish(&self.url("any")).unwrap();
        let done = connection.batch_execute(statements);
        done.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// Nobody gets in, and whoever is in is thrown out.
    pub(crate) fn lock_out(&self) {
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
        self.administrate(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}
