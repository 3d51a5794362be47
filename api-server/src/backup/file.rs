//! Creates and checks the files of backups.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::BackupError;
use crate::db::{self, DatabaseUrl};
use crate::new_file::{NewFile, folder_of};
use crate::progress::Progress;

/// Name of the copy of a backup, in a folder of its own.
const COPY_NAME: &str = "backup.db";

/// Returns the path of the SQLite database. Fails if the file does not exist.
pub(super) fn existing_database(url: &DatabaseUrl) -> Result<&Path, BackupError> {
    match url.file() {
        Some(file) if file.is_file() => Ok(file),
        _ => Err(format!("{url} (DATABASE_URL) does not exist").into()),
    }
}

/// Fails if the database is a SQLite file that does not exist.
pub(super) fn check_database_exists(url: &DatabaseUrl) -> Result<(), BackupError> {
    match url.file() {
        Some(_) => existing_database(url).map(drop),
        None => Ok(()),
    }
}

/// Copies the database to a file that does not exist yet. The copy gets its name only when it is complete and on the
/// disk. Returns the size of the copy in bytes.
pub(super) fn write_copy(
    database: &Path,
    file: &Path,
    progress: &Progress,
) -> Result<u64, BackupError> {
    let new_file = NewFile::create(file, progress)?;
    db::copy_database(database, new_file.temporary_path(), progress).map_err(|error| {
        let (database, path) = (database.display(), file.display());
        format!("cannot copy {database} to {path}: {error}")
    })?;
    Ok(new_file.complete()?)
}

/// A copy of a backup, with the schema of this version. Dropping this value deletes the copy.
pub(super) struct MigratedCopy {
    folder: TempDir,
}

impl MigratedCopy {
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join(COPY_NAME)
    }
}

/// Copies a backup into a private folder beside the target, and migrates the copy. Fails if the file is no backup or is
/// the target itself, or if a newer version has migrated the backup or the target.
pub(super) fn migrated_copy(
    target: &DatabaseUrl,
    file: &Path,
    progress: &Progress,
) -> Result<MigratedCopy, BackupError> {
    let path = file.display();
    let database = target.file().ok_or("DATABASE_URL names no SQLite file")?;
    if !file.is_file() {
        return Err(format!("there is no file {path}").into());
    }
    // Opens the file to learn why it cannot be read: SQLite reports only that it cannot open the file.
    File::open(file).map_err(|error| format!("cannot read {path}: {error}"))?;
    if database.exists() {
        if fs::canonicalize(file)? == fs::canonicalize(database)? {
            return Err(
                format!("{path} is the database itself (DATABASE_URL); name a backup").into(),
            );
        }
        require_known_schema(target)?;
    }
    let folder = folder_of(database);
    let explain = |error: std::io::Error| format!("cannot write to {}: {error}", folder.display());
    db::create_private_folder(&folder).map_err(explain)?;
    let copy = MigratedCopy {
        folder: TempDir::new_in(&folder).map_err(explain)?,
    };
    progress.remove_on_exit(copy.folder.path());
    let private_file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(copy.path());
    private_file.map_err(explain)?;
    db::copy_database(file, &copy.path(), progress)
        .map_err(|error| format!("cannot read {path}: {error}"))?;
    let copy_url = DatabaseUrl::of_file(&copy.path());
    if db::inspect(&copy_url)?.run_count == 0 {
        return Err(format!("{path} is no backup of api-server").into());
    }
    require_known_schema(&copy_url).map_err(|error| {
        error
            .to_string()
            .replace(&copy_url.to_string(), &path.to_string())
    })?;
    db::migrate_with_progress(&copy_url, progress)?;
    Ok(copy)
}

/// Fails if a newer version has migrated the database.
fn require_known_schema(url: &DatabaseUrl) -> Result<(), BackupError> {
    let unknown_versions = db::inspect(url)?.unknown_versions;
    if unknown_versions.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{url} was migrated by a newer version of api-server ({}); use that version, or move the database and the files \
         beside it to another folder first",
        unknown_versions.join(", ")
    )
    .into())
}
