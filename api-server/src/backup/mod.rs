//! Copies the SQLite database to a file, restores such a file, and makes a database safe after any other restore.
//!
//! A backup does not know which sessions have ended since, nor which refresh tokens and mailed links were used. So a
//! restore ends all sessions and makes tokens from before invalid, except mailed tokens that undo a change of the email
//! address. No process looks up access tokens in the database: so the time of the restore is stored, and every process
//! rejects access tokens that were issued before it.

mod file;
mod store;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::Clock;
use crate::db::{self, DatabaseUrl, Timestamp};
use crate::progress::{Progress, Unit};

/// The error of a backup or a restore, with a text for the operator.
pub type BackupError = Box<dyn std::error::Error + Send + Sync>;

/// Tokens that are issued within this time after a restore are rejected as well: the clocks of the servers may differ,
/// and a running server notices the restore within two seconds.
const SAFETY_MARGIN: Duration = Duration::from_secs(5);

/// A backup that was written.
#[derive(Debug)]
#[non_exhaustive]
pub struct WrittenBackup {
    /// Path of the file.
    pub file: PathBuf,
    /// Size of the file, in bytes.
    pub bytes: u64,
    /// The file with the generated secret, which is not in the backup; `None` if there is no such file.
    pub secret_file: Option<PathBuf>,
}

impl fmt::Display for WrittenBackup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "wrote {} ({} bytes)", self.file.display(), self.bytes)?;
        match &self.secret_file {
            Some(file) => write!(
                f,
                "; the secret is not in it, so keep a copy of {} as well",
                file.display()
            ),
            None => Ok(()),
        }
    }
}

/// The result of a restore.
#[derive(Debug)]
#[non_exhaustive]
pub struct RestoreSummary {
    /// The number of accounts in the database.
    pub account_count: i64,
    /// The number of sessions that were in the restored database, including those that had ended or expired before. All
    /// were deleted.
    pub ended_count: usize,
}

impl fmt::Display for RestoreSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the database has {} accounts; all {} sessions are ended, and tokens from before are rejected: every user \
             logs in again, with the password of the time of the backup",
            self.account_count, self.ended_count
        )
    }
}

/// Copies the SQLite database to a new file, which only its owner can read. Processes may use the database meanwhile.
///
/// # Errors
///
/// If the file exists, or if the database cannot be read or the file cannot be written.
pub fn write(
    source: &DatabaseUrl,
    file: &Path,
    progress: &Progress,
) -> Result<WrittenBackup, BackupError> {
    let database = file::existing_database(source)?;
    let bytes = file::write_copy(database, file, progress)?;
    let secret_file = source.file_with_suffix(".secret");
    Ok(WrittenBackup {
        file: file.to_owned(),
        bytes,
        secret_file: secret_file.filter(|file| file.exists()),
    })
}

/// Replaces the content of the SQLite database by a backup, in one transaction, and ends all sessions. Creates the
/// database if it does not exist. Running processes notice the restore.
///
/// # Errors
///
/// If the file is no backup of this or an earlier version or is the database itself, if a newer version has migrated
/// the database, if the database has accounts and `replace` is false, or if the file cannot be read or the database
/// cannot be written. The rows of the database are then unchanged, but a missing database may have been created, and an
/// older one migrated.
pub fn restore(
    target: &DatabaseUrl,
    file: &Path,
    replace: bool,
    clock: &Clock,
    progress: &Progress,
) -> Result<RestoreSummary, BackupError> {
    let copy = file::migrated_copy(target, file, progress)?;
    db::migrate_with_progress(target, progress)?;
    let mut connection = db::connect(target)?;
    let account_count = store::count_accounts(&mut connection)?;
    if account_count > 0 && !replace {
        return Err(format!(
            "{target} has {account_count} accounts, which the restore would replace; back it up, then add --replace"
        )
        .into());
    }
    let replaced = store::read_feed_state(&mut connection)?;
    db::replace_all_rows(&mut connection, &copy.path(), progress, |connection| {
        let restored = RestoreSummary {
            ended_count: store::invalidate_all(connection, Some(replaced), || token_cutoff(clock))?,
            account_count: store::count_accounts(connection)?,
        };
        progress.ignore_signals();
        Ok(restored)
    })
}

/// Ends all sessions and makes tokens from before invalid as [`restore`] does, after the database was restored in
/// another way.
///
/// # Errors
///
/// If a SQLite file does not exist, or the database cannot be migrated or changed.
pub fn end_sessions(
    target: &DatabaseUrl,
    clock: &Clock,
    progress: &Progress,
) -> Result<RestoreSummary, BackupError> {
    file::check_database_exists(target)?;
    db::migrate_with_progress(target, progress)?;
    let mut connection = db::connect(target)?;
    let work = progress.start("end sessions", Unit::Uncounted, None);
    let ended_count = db::write_transaction(&mut connection, |connection| {
        let ended_count = store::invalidate_all(connection, None, || token_cutoff(clock));
        progress.ignore_signals();
        ended_count
    })?;
    drop(work);
    Ok(RestoreSummary {
        ended_count,
        account_count: store::count_accounts(&mut connection)?,
    })
}

fn token_cutoff(clock: &Clock) -> Timestamp {
    (clock.now() + SAFETY_MARGIN).into()
}
