//! Files that only their owner may read: the database, and the secret beside it.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Creates an empty file that SQLite then takes for its database. SQLite would create it readable by all, and gives
/// `-wal` and `-shm` the mode of the database. An existing file keeps its mode; a loose one is said in the log.
pub(super) fn create(file: &Path) -> io::Result<()> {
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file);
    match created {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => warn_if_open_to_others(file),
        Err(error) => return Err(error),
        Ok(_file) => {}
    }
    Ok(())
}

fn warn_if_open_to_others(file: &Path) {
    if is_open_to_others(file).unwrap_or_default() {
        let file = file.display();
        log::warn!(
            "other users of this machine may read the database, with its password hashes; run: \
             chmod go= '{file}'*"
        );
    }
}

/// Whether anyone but the owner may do anything with it.
pub(crate) fn is_open_to_others(file: &Path) -> io::Result<bool> {
    Ok(fs::metadata(file)?.permissions().mode() & 0o077 != 0)
}
