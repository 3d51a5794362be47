//! Many processes that start at the same time on a new database.

use std::{fs, thread};

use api_server::db::{DatabaseUrl, migrate};
use e2e::{Database, Engine, on_both_engines};

on_both_engines! {
    eight_at_once_migrate_a_new_database_once,
    a_migrated_database_stays_as_it_is,
}

const RAN: &str = "SELECT count(*) FROM __diesel_schema_migrations";

/// The number of migrations, which is the same for each engine.
fn folders() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/sqlite");
    fs::read_dir(folder).unwrap().count().to_string()
}

async fn eight_at_once_migrate_a_new_database_once(engine: Engine) {
    let database = Database::new(engine);
    let url = DatabaseUrl::parse(&database.url()).unwrap();
    thread::scope(|scope| {
        let starts = [(); 8].map(|()| scope.spawn(|| migrate(&url)));
        for start in starts {
            start.join().unwrap().unwrap();
        }
    });
    assert_eq!(database.value(RAN).unwrap(), folders());
    for table in ["users", "sessions", "tasks"] {
        let count = database.value(&format!("SELECT count(*) FROM {table}"));
        assert_eq!(count.as_deref(), Some("0"));
    }
}

async fn a_migrated_database_stays_as_it_is(engine: Engine) {
    let database = Database::new(engine);
    let url = DatabaseUrl::parse(&database.url()).unwrap();
    migrate(&url).unwrap();
    let first = "SELECT min(run_on) FROM __diesel_schema_migrations";
    let before = database.value(first);
    migrate(&url).unwrap();
    assert_eq!(database.value(RAN).unwrap(), folders());
    assert_eq!(database.value(first), before);
}
