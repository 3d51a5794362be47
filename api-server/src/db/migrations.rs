//! Migrates the database to the current schema. If several processes do so at the same time, a lock makes them take
//! turns.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{fs, io};

use diesel::connection::SimpleConnection as _;
use diesel_migrations::MigrationHarness as _;

use super::dialect;
use super::dialect::{DbConnection, write_transaction};
use super::error::BoxError;
use super::private_file;
use super::url::DatabaseUrl;
use crate::progress::{Progress, Unit};

/// Longest time for attempts to connect while the database is locked or starting.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause between two attempts to connect.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Creates the SQLite file and its folder if needed, then runs all migrations that have not run yet.
///
/// # Errors
///
/// If the file or its folder cannot be created, the database cannot be reached or a migration fails.
pub fn migrate(url: &DatabaseUrl) -> Result<(), BoxError> {
    migrate_showing(url, &Progress::hidden())
}

/// Does the same and shows the progress. If a signal ends the process, the database is not migrated.
pub(crate) fn migrate_showing(url: &DatabaseUrl, progress: &Progress) -> Result<(), BoxError> {
    if let Some(folder) = url.file().and_then(|file| file.parent()) {
        create_private_folder(folder)
            .map_err(|error| format!("cannot create the folder {}: {error}", folder.display()))?;
    }
    if let Some(file) = url.file() {
        private_file::create(file)
            .map_err(|error| format!("cannot create {}: {error}", file.display()))?;
    }
    let mut connection = connect_with_retries(url)?;
    let migrations = dialect::migrations(&connection);
    write_transaction(&mut connection, |connection| -> Result<(), BoxError> {
        connection.batch_execute(migrations.lock_sql)?;
        let pending = connection.pending_migrations(migrations.embedded)?;
        let count = pending.len();
        for (index, migration) in pending.iter().enumerate() {
            let label = format!("migration {} ({} of {count})", migration.name(), index + 1);
            let _work = progress.start(&label, Unit::Seconds, None);
            connection.run_migration(migration)?;
        }
        if count > 0 {
            log::info!("migrated the database ({count} migrations)");
        }
        Ok(())
    })
}

/// Creates a folder that only its owner can access, for files with password hashes and the generated secret. A folder
/// that exists keeps its mode.
pub(crate) fn create_private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// Connects, and tries again while the database is locked or starting. A new SQLite file is locked for a moment if two
/// processes set its journal mode to WAL at the same time.
fn connect_with_retries(url: &DatabaseUrl) -> Result<DbConnection, BoxError> {
    let start = Instant::now();
    loop {
        match dialect::connect(url) {
            Err(error) if is_transient(&error.to_string()) && start.elapsed() < STARTUP_TIMEOUT => {
                sleep(RETRY_INTERVAL);
            }
            outcome => return outcome.map_err(Into::into),
        }
    }
}

fn is_transient(error: &str) -> bool {
    ["database is locked", "the database system is starting up"]
        .iter()
        .any(|text| error.contains(text))
}
