//! Creates and checks the files of backups.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use super::BackupError;
use crate::db::{self, DatabaseUrl};

/// Name of the copy of a backup, in a folder of its own.
const COPY_NAME: &str = "backup.db";

/// Returns the SQLite file. Fails if it does not exist.
pub(super) fn existing_database(url: &DatabaseUrl) -> Result<&Path, BackupError> {
    match url.file() {
        Some(file) if file.is_file() => Ok(file),
        _ => Err(format!("{url} (DATABASE_URL) does not exist").into()),
    }
}

/// Fails if the database is a SQLite file that does not exist.
pub(super) fn existing_database_or_server(url: &DatabaseUrl) -> Result<(), BackupError> {
    match url.file() {
        Some(_) => existing_database(url).map(drop),
        None => Ok(()),
    }
}

/// Copies the database to a file that does not exist yet. The copy gets its name only when it is complete and on the disk.
/// Returns its size.
pub(super) fn write_copy(database: &Path, file: &Path) -> Result<u64, BackupError> {
    let path = file.display();
    if file.symlink_metadata().is_ok() {
        return Err(format!("{path} exists; name a file that does not exist").into());
    }
    let explain = |error: std::io::Error| format!("cannot write {path}: {error}");
    let folder = folder_of(file);
    // A temporary file can be read only by its owner.
    let temp_file = NamedTempFile::new_in(&folder).map_err(explain)?;
    db::copy_database(database, temp_file.path())
        .map_err(|error| format!("cannot copy {} to {path}: {error}", database.display()))?;
    temp_file.as_file().sync_all().map_err(explain)?;
    let complete_file = temp_file
        .persist_noclobber(file)
        .map_err(|error| explain(error.error))?;
    File::open(&folder)
        .and_then(|folder| folder.sync_all())
        .map_err(explain)?;
    Ok(complete_file.metadata().map_err(explain)?.len())
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

/// Copies a backup into a private folder beside the target, and migrates the copy. Fails if the file is no backup, or if
/// a newer version has written the backup or the target.
pub(super) fn migrated_copy(
    target: &DatabaseUrl,
    file: &Path,
) -> Result<MigratedCopy, BackupError> {
    let path = file.display();
    let database = target.file().ok_or("DATABASE_URL names no SQLite file")?;
    if !file.is_file() {
        return Err(format!("there is no file {path}").into());
    }
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
    let private_file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(copy.path());
    private_file.map_err(explain)?;
    db::copy_database(file, &copy.path())
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
    db::migrate(&copy_url)?;
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

/// Returns the folder that contains the file; `.` for a file name.
fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
