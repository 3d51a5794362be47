//! Stores the generated secret in a file beside a SQLite database. Only the owner of the file can read it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use auth_core::Secret;

use crate::db::{create_private_folder, is_accessible_to_others};
use crate::new_file;

/// Reads or creates the secret file of this database. If several processes start at once, all use the file that
/// one of them creates.
pub(super) fn read_or_create(database: &Path) -> Result<Secret, String> {
    let file = secret_path(database);
    match read_if_exists(&file)? {
        Some(secret) => Ok(secret),
        None => create(&file),
    }
}

/// Reads the secret file of this database. If there is none, returns a new secret and stores it nowhere.
pub(super) fn read_or_generate(database: &Path) -> Result<Secret, String> {
    match read_if_exists(&secret_path(database))? {
        Some(secret) => Ok(secret),
        None => Secret::generate().map_err(|error| error.to_string()),
    }
}

/// Reads the secret file of this database. Fails if there is no such file.
pub(super) fn read(database: &Path) -> Result<Secret, String> {
    let file = secret_path(database);
    let secret = read_if_exists(&file)?;
    secret.ok_or_else(|| {
        format!(
            "is not set, and there is no file {}, which the first start of the server creates; set AUTH_SECRET, or \
             check DATABASE_URL",
            file.display()
        )
    })
}

fn read_if_exists(file: &Path) -> Result<Option<Secret>, String> {
    match fs::read(file) {
        Ok(bytes) => parse(file, &bytes).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(explain_io_error("read", file, &error)),
    }
}

/// Returns the path of the secret file: `auth.db.secret` for the database `auth.db`.
fn secret_path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".secret");
    PathBuf::from(path)
}

/// Parses the secret. Rejects a file that other users of the machine have access to, because they may have copied it.
fn parse(file: &Path, bytes: &[u8]) -> Result<Secret, String> {
    if is_accessible_to_others(file).map_err(|error| explain_io_error("read", file, &error))? {
        let path = file.display();
        return Err(format!(
            "other users of this machine can read the file {path}; if you trust them, run: chmod 600 '{path}'; if not, \
             delete the file: the next start creates a new secret, which logs all users out; or set AUTH_SECRET"
        ));
    }
    Secret::new(bytes.trim_ascii())
        .map_err(|error| format!("the file {} is unusable: {error}", file.display()))
}

/// Creates the secret file. If another process was faster, returns the secret of that process.
fn create(file: &Path) -> Result<Secret, String> {
    if let Some(folder) = file.parent() {
        create_private_folder(folder)
            .map_err(|error| explain_io_error("create", folder, &error))?;
    }
    let secret = Secret::generate().map_err(|error| error.to_string())?;
    match new_file::write(file, &[secret.expose(), b"\n"]) {
        Ok(()) => log::info!("created a secret in {}", file.display()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(explain_io_error("write", file, &error)),
    }
    let bytes = fs::read(file).map_err(|error| explain_io_error("read", file, &error))?;
    parse(file, &bytes)
}

fn explain_io_error(action: &str, path: &Path, error: &std::io::Error) -> String {
    format!(
        "cannot {action} {}: {error}; put the database of DATABASE_URL into a writable folder, or set AUTH_SECRET",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::{read_or_create, secret_path};
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn concurrent_starts_use_one_secret_that_only_the_owner_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("new/auth.db");
        let secrets: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| read_or_create(&database).unwrap().expose().to_vec()))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(secrets.windows(2).all(|pair| pair[0] == pair[1]));
        let mode = std::fs::metadata(secret_path(&database))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_invalid_secret_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("auth.db");
        let file = secret_path(&database);
        std::fs::write(&file, "short").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        assert!(read_or_create(&database).unwrap_err().contains("unusable"));
        assert_eq!(std::fs::read(&file).unwrap(), b"short");
    }
}
