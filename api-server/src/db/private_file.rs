//! Creates a SQLite file that only its owner can access, and checks whether other users can access a file with secrets.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Creates an empty file, which SQLite then uses as a new database, because SQLite itself would usually create a file
/// that all users of the machine can read. SQLite gives the `-wal` and `-shm` files the mode of the database. An
/// existing file keeps its mode, and a warning is logged if other users have access to this file.
pub(super) fn create(file: &Path) -> io::Result<()> {
    let result = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file);
    match result {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => warn_if_accessible(file),
        Err(error) => return Err(error),
        Ok(_file) => {}
    }
    Ok(())
}

fn warn_if_accessible(file: &Path) {
    if is_accessible_to_others(file).unwrap_or_default() {
        let path = file.display();
        log::warn!(
            "other users of this machine can read the database, which contains password hashes; run: \
             chmod go= '{path}'*"
        );
    }
}

/// Returns whether the mode of the file gives any permission to users other than the owner.
pub(crate) fn is_accessible_to_others(file: &Path) -> io::Result<bool> {
    Ok(fs::metadata(file)?.permissions().mode() & 0o077 != 0)
}
