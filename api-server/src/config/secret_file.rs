//! The generated secret beside a SQLite database: made once, readable by its owner alone.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use auth_core::Secret;

use crate::db::{create_private_folder, is_open_to_others};

/// Reads the secret of this database, or makes it. Of several processes that start at once, one makes it.
pub(super) fn read_or_create(database: &Path) -> Result<Secret, String> {
    let file = beside(database);
    match fs::read(&file) {
        Ok(text) => secret(&file, &text),
        Err(error) if error.kind() == ErrorKind::NotFound => create(&file),
        Err(error) => Err(cannot("read", &file, &error)),
    }
}

/// Reads the secret of this database, which a server must have made.
pub(super) fn read(database: &Path) -> Result<Secret, String> {
    let file = beside(database);
    match fs::read(&file) {
        Ok(text) => secret(&file, &text),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(format!(
            "is not set, and there is no {}, which the first start makes; set AUTH_SECRET, or check DATABASE_URL",
            file.display()
        )),
        Err(error) => Err(cannot("read", &file, &error)),
    }
}

/// `auth.db` has its secret in `auth.db.secret`.
fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".secret");
    PathBuf::from(name)
}

fn secret(file: &Path, text: &[u8]) -> Result<Secret, String> {
    if is_open_to_others(file).map_err(|error| cannot("read", file, &error))? {
        let file = file.display();
        return Err(format!(
            "other users of this machine may read the file {file}; if none did, run: chmod 600 '{file}'; if one may \
             have, delete it for a new secret, which logs everyone out; or set AUTH_SECRET"
        ));
    }
    Secret::new(text.trim_ascii())
        .map_err(|error| format!("the file {} is unusable: {error}", file.display()))
}

/// Writes a temporary file, then links it. Linking fails if another process was faster; then its secret is read.
fn create(file: &Path) -> Result<Secret, String> {
    if let Some(folder) = file.parent() {
        create_private_folder(folder).map_err(|error| cannot("create", folder, &error))?;
    }
    let draft = file.with_extension(uuid::Uuid::new_v4().to_string());
    let made = Secret::generate().map_err(|error| error.to_string())?;
    write(&draft, &made).map_err(|error| cannot("write", &draft, &error))?;
    let linked = fs::hard_link(&draft, file);
    fs::remove_file(&draft).map_err(|error| cannot("remove", &draft, &error))?;
    match linked {
        Ok(()) => log::info!("made a secret in {}", file.display()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(cannot("write", file, &error)),
    }
    let text = fs::read(file).map_err(|error| cannot("read", file, &error))?;
    secret(file, &text)
}

fn write(draft: &Path, secret: &Secret) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(draft)?;
    file.write_all(secret.expose())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> String {
    format!(
        "cannot {what} {}: {error}; name a file in a folder that can be written in DATABASE_URL, or set AUTH_SECRET",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::{beside, read_or_create};
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn many_at_once_agree_on_one_secret_which_only_the_owner_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("new/auth.db");
        let secrets: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| read_or_create(&database).unwrap().expose().to_vec()))
                .collect();
            starts
                .into_iter()
                .map(|start| start.join().unwrap())
                .collect()
        });
        assert!(secrets.windows(2).all(|pair| pair[0] == pair[1]));
        let mode = std::fs::metadata(beside(&database))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("auth.db");
        let file = beside(&database);
        std::fs::write(&file, "short").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        assert!(read_or_create(&database).unwrap_err().contains("unusable"));
    }
}
