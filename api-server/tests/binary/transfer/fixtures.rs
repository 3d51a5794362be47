//! Creates Better Auth databases, and runs the program that imports their users.

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use serde_json::Value;

use harness::{Outcome, Postgres, Program, SECRET, Server, WorkDir};

/// Better Auth's hash of [`PASSWORD`].
pub(crate) const SCRYPT_HASH: &str = "ac7938d40cfc2307e2bf325d28e7884e:af849c32e3f760bf08b6a139a0ee1f52f73bf08037f5cfbff8444f755a15b0a11487259fa358104f6f3c1638bdbd0a21d0aea92f11adec8752c6d7c61a3fde98";
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Creates the tables of Better Auth for users and accounts. [`Fixture::with_column_types`] replaces `{bool}`, `{time}`
/// and `{id}` by column types.
pub(crate) const CREATE_TABLES: &str = r#"
    CREATE TABLE "user" (id {id} PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE, "emailVerified" {bool} NOT NULL,
        image text, "createdAt" {time} NOT NULL, "updatedAt" {time} NOT NULL);
    CREATE TABLE "account" (id {id} PRIMARY KEY, "accountId" text NOT NULL, "providerId" text NOT NULL,
        "userId" {id} NOT NULL REFERENCES "user" (id) ON DELETE CASCADE, "accessToken" text, "refreshToken" text,
        "idToken" text, "accessTokenExpiresAt" {time}, "refreshTokenExpiresAt" {time}, scope text, password text,
        "createdAt" {time} NOT NULL, "updatedAt" {time} NOT NULL);
"#;

/// A source database of Better Auth, and a target database of the server.
pub(crate) struct Fixture {
    pub(crate) work_dir: WorkDir,
    /// `None` for SQLite.
    postgres_databases: Option<PostgresDatabases>,
}

struct PostgresDatabases {
    source: Postgres,
    target: Postgres,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Fixture {
    /// Prepares a source database with the empty tables of Better Auth, and a target database without tables.
    pub(crate) fn new(engine: Engine) -> Self {
        let fixture = Self::without_tables(engine);
        fixture.execute_in_source(&fixture.with_column_types(CREATE_TABLES));
        fixture
    }

    /// Prepares a source and a target database without tables. On SQLite, the files do not exist yet.
    pub(crate) fn without_tables(engine: Engine) -> Self {
        let postgres_databases = (engine == Engine::Postgres).then(|| PostgresDatabases {
            source: Postgres::new(),
            target: Postgres::new(),
        });
        let work_dir = WorkDir::new();
        Self {
            work_dir,
            postgres_databases,
        }
    }

    /// Replaces `{bool}`, `{time}` and `{id}` by column types of the engine.
    pub(crate) fn with_column_types(&self, statement: &str) -> String {
        let (bool_type, time_type) = match self.postgres_databases {
            None => ("integer", "date"),
            Some(_) => ("boolean", "timestamp with time zone"),
        };
        statement
            .replace("{bool}", bool_type)
            .replace("{time}", time_type)
            .replace("{id}", "text")
    }

    /// Returns the value that means true in the source database.
    pub(crate) fn true_literal(&self) -> &'static str {
        if self.postgres_databases.is_some() {
            "true"
        } else {
            "1"
        }
    }

    /// Returns the URL of the target database; `None` for SQLite.
    pub(crate) fn postgres_target(&self) -> Option<String> {
        let databases = self.postgres_databases.as_ref();
        databases.map(|databases| databases.target.url_with_password("hunter2"))
    }

    /// Runs statements in the source database.
    pub(crate) fn execute_in_source(&self, statements: &str) {
        match &self.postgres_databases {
            Some(databases) => databases.source.execute(statements),
            None => self.execute_in_sqlite_file("source.db", statements),
        }
    }

    /// Runs statements in the target database, which the server uses.
    pub(crate) fn execute_in_target(&self, statements: &str) {
        match &self.postgres_databases {
            Some(databases) => databases.target.execute(statements),
            None => self.execute_in_sqlite_file("data/auth.db", statements),
        }
    }

    fn execute_in_sqlite_file(&self, file_name: &str, statements: &str) {
        let file = self.work_dir.path(file_name);
        let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
        // The server may be writing: after a registration it sends a mail.
        let wait_for_lock = "PRAGMA busy_timeout = 20000;";
        let result = connection.batch_execute(&format!("{wait_for_lock} {statements}"));
        result.unwrap_or_else(|error| panic!("{statements}: {error}"));
    }

    /// Adds a user with the password [`PASSWORD`] to the source. The user's creation is on 2026-01-02 at 03:`minute`.
    pub(crate) fn add_user(&self, id: &str, email: &str, minute: u32) {
        self.add_user_without_password(id, email, minute);
        self.add_password(id, SCRYPT_HASH);
    }

    pub(crate) fn add_user_without_password(&self, id: &str, email: &str, minute: u32) {
        let time = format!("2026-01-02T03:{minute:02}:05.678Z");
        let true_literal = self.true_literal();
        self.execute_in_source(&format!(
            r#"INSERT INTO "user" (id, name, email, "emailVerified", image, "createdAt", "updatedAt")
               VALUES ('{id}', 'Ada', '{email}', {true_literal}, NULL, '{time}', '{time}')"#
        ));
    }

    pub(crate) fn add_password(&self, user_id: &str, hash: &str) {
        self.add_account(user_id, user_id, "credential", hash);
    }

    pub(crate) fn add_account(&self, user_id: &str, account_id: &str, provider: &str, hash: &str) {
        let time = "2026-01-02T03:04:05.678Z";
        self.execute_in_source(&format!(
            r#"INSERT INTO "account" (id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt")
               VALUES ('{provider}-{account_id}', '{account_id}', '{provider}', '{user_id}', '{hash}', '{time}', '{time}')"#
        ));
    }

    pub(crate) fn source_url(&self) -> String {
        match &self.postgres_databases {
            Some(databases) => databases.source.url_with_password("hunter2"),
            None => "sqlite://source.db".to_owned(),
        }
    }

    /// Returns the program with the target database in its settings.
    pub(crate) fn program(&self) -> Program {
        let program = self.work_dir.program().with_weak_hashing();
        match &self.postgres_databases {
            None => program,
            Some(databases) => {
                let program = program.set(
                    "DATABASE_URL",
                    databases.target.url_with_password("hunter2"),
                );
                program.set("AUTH_SECRET", SECRET)
            }
        }
    }

    /// Runs an import from the source. Asserts that the output contains neither [`SCRYPT_HASH`] nor `hunter2`,
    /// the password in the database URLs.
    pub(crate) fn run_import(&self, arguments: &[&str]) -> Outcome {
        let command = [
            "users",
            "import",
            "better-auth",
            "--from",
            &self.source_url(),
        ];
        let program = self.program().args(&command).args(arguments);
        let outcome = program.set("RUST_LOG", "warn").run();
        assert_eq!(outcome.stdout, "");
        for secret in ["hunter2", SCRYPT_HASH] {
            assert!(!outcome.stderr.contains(secret), "{}", outcome.stderr);
        }
        outcome
    }

    /// Runs an import from the source, asserts that the import succeeds, and returns the report.
    pub(crate) fn import(&self, arguments: &[&str]) -> String {
        self.run_import(arguments).assert_succeeded().stderr
    }

    pub(crate) fn serve(&self) -> Server {
        self.program().start()
    }

    /// Starts the server and asserts that the user with this email address can log in with [`PASSWORD`].
    #[track_caller]
    pub(crate) fn assert_logs_in(&self, email: &str) {
        self.serve().log_in(email, PASSWORD).expect(200);
    }

    /// Returns the output of `users export` for the target database.
    pub(crate) fn export(&self, arguments: &[&str]) -> String {
        let program = self.program().args(&["users", "export"]).args(arguments);
        program.run().assert_succeeded().stdout
    }

    /// Returns the users that `users export` prints for the target database.
    pub(crate) fn exported_users(&self) -> Vec<Value> {
        let exported_lines = self.export(&[]);
        let to_user = |line| serde_json::from_str::<Value>(line).unwrap()["user"].clone();
        exported_lines.lines().map(to_user).collect()
    }

    pub(crate) fn exported_user_ids(&self) -> Vec<String> {
        let users = self.exported_users().into_iter();
        users
            .map(|user| user["id"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// Asserts that each expected line is a line of the output.
#[track_caller]
pub(crate) fn assert_has_lines(output: &str, expected_lines: &[&str]) {
    for line in expected_lines {
        assert!(
            output.lines().any(|output_line| output_line == *line),
            "{line}\n{output}"
        );
    }
}

/// Turns each `fn(Engine)` into two tests: `name::sqlite` and `name::postgres`.
macro_rules! on_both_engines {
    ($($test:ident),+ $(,)?) => {$(
        mod $test {
            #[test]
            fn sqlite() {
                super::$test($crate::transfer::fixtures::Engine::Sqlite);
            }

            #[test]
            #[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
            fn postgres() {
                super::$test($crate::transfer::fixtures::Engine::Postgres);
            }
        }
    )+};
}
pub(crate) use on_both_engines;
