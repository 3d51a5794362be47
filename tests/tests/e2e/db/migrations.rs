//! Tests migrations that run in parallel on a new database, and a migration that is repeated.

use std::{fs, thread};

use api_server::db::{DatabaseUrl, migrate};
use e2e::{Database, Engine, on_both_engines};

on_both_engines! {
    eight_parallel_migrations_change_a_new_database_once,
    a_migration_of_a_migrated_database_changes_nothing,
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
