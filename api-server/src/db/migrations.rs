//! Migrates the database to the current schema. If several processes do so at the same time, a lock makes them take
//! turns.

use std::error::Error;
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
/// Longest time for attempts to connect to a database that does not respond, which may only be busy.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(8);
/// Pause between two attempts to connect.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);
/// Longest time for attempts to migrate while another transaction uses a table that the migration changes.
const TABLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause between two attempts to migrate. During the pause, the database handles the requests of other servers, which
/// may have to wait during an attempt.
const TABLE_RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Creates the SQLite file and its folder if needed, then runs all migrations that have not run yet.
///
/// # Errors
///
/// If the file or its folder cannot be created, the database cannot be reached or a migration fails.
pub fn migrate(url: &DatabaseUrl) -> Result<(), BoxError> {
    migrate_with_progress(url, &Progress::hidden())
}

/// Does the same as [`migrate`], and shows the progress. If a signal ends the process before the commit, no migration
/// takes effect.
pub(crate) fn migrate_with_progress(
    url: &DatabaseUrl,
    progress: &Progress,
) -> Result<(), BoxError> {
    if let Some(folder) = url.file().and_then(|file| file.parent()) {
        create_private_folder(folder)
            .map_err(|error| format!("cannot create the folder {}: {error}", folder.display()))?;
    }
    if let Some(file) = url.file() {
        private_file::create(file)
            .map_err(|error| format!("cannot create {}: {error}", file.display()))?;
    }
    let mut connection = connect_with_retries(url)?;
    let start = Instant::now();
    loop {
        match run_migrations(&mut connection, progress) {
            Err(error) if means_table_in_use(&*error) && start.elapsed() < TABLE_TIMEOUT => {
                log::warn!(
                    "a transaction, such as a backup, uses a table that a migration changes; trying again"
                );
                sleep(TABLE_RETRY_INTERVAL);
            }
            outcome => return outcome,
        }
    }
}

/// Runs the pending migrations in one transaction, so that other processes see all of them or none.
fn run_migrations(connection: &mut DbConnection, progress: &Progress) -> Result<(), BoxError> {
    let migrations = dialect::migrations(connection);
    write_transaction(connection, |connection| -> Result<(), BoxError> {
        connection.batch_execute(migrations.lock_sql)?;
        let pending = connection.pending_migrations(migrations.embedded)?;
        let count = pending.len();
        for (index, migration) in pending.iter().enumerate() {
            let label = format!("migration {} ({} of {count})", migration.name(), index + 1);
            let _work = progress.start(&label, Unit::Uncounted, None);
            connection.run_migration(migration)?;
        }
        if count > 0 {
            log::info!("migrated the database ({count} migrations)");
        }
        Ok(())
    })
}

/// Creates a folder that only its owner can access, for files that must stay secret, such as a database with password
/// hashes. A folder that exists keeps its mode.
pub(crate) fn create_private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// Connects, and tries again while the database is locked, starting or silent. A new SQLite file is locked for a moment
/// if two processes set its journal mode to WAL at the same time.
fn connect_with_retries(url: &DatabaseUrl) -> Result<DbConnection, BoxError> {
    let start = Instant::now();
    loop {
        match dialect::connect(url) {
            Err(error) if start.elapsed() < retry_timeout(&error.to_string()) => {
                sleep(RETRY_INTERVAL);
            }
            outcome => return outcome.map_err(Into::into),
        }
    }
}

/// Returns whether the migration failed because another transaction used a table for longer than the lock timeout, or
/// because that transaction and the migration waited for each other.
fn means_table_in_use(error: &(dyn Error + 'static)) -> bool {
    let text = error.to_string();
    ["lock timeout", "deadlock detected"]
        .iter()
        .any(|cause| text.contains(cause))
}

/// Returns how long after the first attempt connecting is still tried again after this error; zero for never.
fn retry_timeout(error: &str) -> Duration {
    let timeouts = [
        ("database is locked", STARTUP_TIMEOUT),
        ("the database system is starting up", STARTUP_TIMEOUT),
        ("timeout expired", SILENCE_TIMEOUT),
    ];
    let timeout = timeouts.iter().find(|(text, _)| error.contains(text));
    timeout.map_or(Duration::ZERO, |(_, timeout)| *timeout)
}
