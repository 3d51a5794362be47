//! Tests migrations that run in parallel on a new database, and a migration that is repeated.

use std::{fs, thread};

use api_server::db::{DatabaseUrl, migrate};
use e2e::{Database, Engine, on_both_engines, on_postgres};

use crate::sessions::fixtures::wait_until;

on_both_engines! {
    eight_parallel_migrations_change_a_new_database_once,
    a_migration_of_a_migrated_database_changes_nothing,
}
on_postgres! {
    a_migration_that_waits_for_a_table_lets_others_use_the_table,
}

const MIGRATION_COUNT_QUERY: &str = "SELECT count(*) FROM __diesel_schema_migrations";

/// Returns the number of migrations as text. Both engines have the same number.
fn migration_count() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/sqlite");
    fs::read_dir(folder).unwrap().count().to_string()
}

async fn eight_parallel_migrations_change_a_new_database_once(engine: Engine) {
    let database = Database::new(engine);
    let url = DatabaseUrl::parse(&database.url()).unwrap();
    thread::scope(|scope| {
        let migrations = [(); 8].map(|()| scope.spawn(|| migrate(&url)));
        for migration in migrations {
            migration.join().unwrap().unwrap();
        }
    });
    assert_eq!(
        database.value(MIGRATION_COUNT_QUERY).unwrap(),
        migration_count()
    );
    for table in ["users", "sessions", "tasks"] {
        let count = database.value(&format!("SELECT count(*) FROM {table}"));
        assert_eq!(count.as_deref(), Some("0"));
    }
}

async fn a_migration_of_a_migrated_database_changes_nothing(engine: Engine) {
    let database = Database::new(engine);
    let url = DatabaseUrl::parse(&database.url()).unwrap();
    migrate(&url).unwrap();
    let first_run_time_query = "SELECT min(run_on) FROM __diesel_schema_migrations";
    let first_run_time = database.value(first_run_time_query);
    migrate(&url).unwrap();
    assert_eq!(
        database.value(MIGRATION_COUNT_QUERY).unwrap(),
        migration_count()
    );
    assert_eq!(database.value(first_run_time_query), first_run_time);
}

/// A migration that changes the table `outbox`.
const MIGRATION_OF_OUTBOX: &str = "2026-11-22-000041_email_changes";

/// Undoes one migration.
fn undo(database: &Database, migration: &str) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/postgres");
    let down = fs::read_to_string(format!("{folder}/{migration}/down.sql")).unwrap();
    let version = migration.split('_').next().unwrap().replace('-', "");
    database.execute(&format!(
        "{down}; DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"
    ));
}

async fn a_migration_that_waits_for_a_table_lets_others_use_the_table(engine: Engine) {
    let database = Database::new(engine);
    let url = DatabaseUrl::parse(&database.url()).unwrap();
    migrate(&url).unwrap();
    undo(&database, MIGRATION_OF_OUTBOX);
    // A backup holds a read lock on the table until it is complete.
    let mut backup = database.open_session();
    backup.execute("BEGIN; LOCK TABLE outbox IN ACCESS SHARE MODE");
    let migration = thread::spawn(move || migrate(&url).map_err(|error| error.to_string()));
    wait_until("the migration waits for the table", async || {
        let waiting =
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'outbox'::regclass";
        database.value(waiting).as_deref() == Some("1")
    })
    .await;
    let mut server = database.open_session();
    server.execute("SET statement_timeout = '20s'; SELECT count(*) FROM outbox");
    backup.execute("COMMIT");
    assert_eq!(migration.join().unwrap(), Ok(()));
    let count = database.value("SELECT count(*) FROM email_undos");
    assert_eq!(count.as_deref(), Some("0"));
}
