//! Bringing the schema up to date, from any number of processes at once.

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
use super::private_file;
use super::url::DatabaseUrl;

/// How long a starting process waits for another process that migrates, or for a database that is starting too.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(30);
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

type BoxError = Box<dyn Error + Send + Sync>;

/// Creates the SQLite file and its folder if needed, then runs every migration that has not run yet.
///
/// # Errors
///
/// The database's own words, if it cannot be reached or a migration fails.
pub fn migrate(url: &DatabaseUrl) -> Result<(), BoxError> {
    if let Some(folder) = url.file().and_then(|file| file.parent()) {
        create_private_folder(folder)
            .map_err(|error| format!("cannot create the folder {}: {error}", folder.display()))?;
    }
    if let Some(file) = url.file() {
        private_file::create(file)
            .map_err(|error| format!("cannot create {}: {error}", file.display()))?;
    }
    let mut connection = connect_with_retries(url)?;
    let (migrations, lock) = dialect::migrations(&connection);
    write_transaction(&mut connection, |connection| -> Result<(), BoxError> {
        connection.batch_execute(lock)?;
        let applied = connection.run_pending_migrations(migrations)?.len();
        if applied > 0 {
            log::info!("migrated the database ({applied} migrations)");
        }
        Ok(())
    })
}

/// Creates a folder for this user alone: the database holds password hashes, and the generated secret is beside it.
pub(crate) fn create_private_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// Two processes that switch a new SQLite file to WAL get in each other's way for a moment.
fn connect_with_retries(url: &DatabaseUrl) -> Result<DbConnection, BoxError> {
    let started = Instant::now();
    loop {
        match dialect::connect(url) {
            Err(error)
                if is_transient(&error.to_string()) && started.elapsed() < STARTUP_TIMEOUT =>
            {
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
