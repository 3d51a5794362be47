//! Checks that this process can write the SQLite database, and that other users of the machine can read neither the
//! database nor the secrets in `.env`.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::Finding;
use crate::config::exposed_secret_setting;
use crate::db::{DatabaseUrl, is_accessible_to_others};

const CHECKED_PART: &str = "permissions";

pub(super) fn check(url: &DatabaseUrl) -> Vec<Finding> {
    let mut problems = Vec::new();
    problems.extend(url.file().and_then(database_problem));
    problems.extend(url.file().and_then(folder_problem));
    if let Some(setting) = exposed_secret_setting() {
        problems.push(format!(
            "other users of this machine can read {setting} in .env; run: chmod 600 .env"
        ));
    }
    if problems.is_empty() {
        return vec![Finding::ok(
            CHECKED_PART,
            "other users cannot read the files, and this user can write them",
        )];
    }
    problems
        .into_iter()
        .map(|problem| Finding::wrong(CHECKED_PART, problem))
        .collect()
}

/// Returns what is wrong with the permissions of the database or of the files that SQLite creates beside the database.
fn database_problem(database: &Path) -> Option<String> {
    let path = database.display();
    let files = ["", "-wal", "-shm"].map(|suffix| PathBuf::from(format!("{path}{suffix}")));
    let mut existing_files = files.iter().filter(|file| file.exists());
    let mode = Access::READ_OK | Access::WRITE_OK;
    if existing_files
        .clone()
        .any(|file| access(file, mode).is_err())
    {
        return Some(format!(
            "this user cannot write '{path}'*; as root run: chown USER '{path}'*"
        ));
    }
    existing_files
        .any(|file| is_accessible_to_others(file).unwrap_or_default())
        .then(|| {
            format!("other users of this machine can read the database; run: chmod go= '{path}'*")
        })
}

/// Returns what is wrong with the folder of an existing database. The folder must be writable, because SQLite creates
/// and deletes files beside the database.
fn folder_problem(file: &Path) -> Option<String> {
    let folder = folder_of(file);
    if !file.exists() || is_writable_folder(&folder) {
        return None;
    }
    let path = folder.display();
    Some(format!(
        "this user cannot write to the folder '{path}'; as root run: chown USER '{path}'"
    ))
}

/// Returns whether this process can create a file or folder at this path or, if it exists, write to it.
pub(super) fn is_writable_or_creatable(path: &Path) -> bool {
    if path.exists() {
        return access(path, Access::WRITE_OK).is_ok();
    }
    let mut folder = folder_of(path);
    while !folder.exists() {
        folder = folder_of(&folder);
    }
    is_writable_folder(&folder)
}

fn is_writable_folder(folder: &Path) -> bool {
    folder.is_dir() && access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// Returns the folder that contains the path: `.` for a relative path of one part, `/` for the root.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        None => PathBuf::from("/"),
        Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
        Some(parent) => parent.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::{check, is_writable_or_creatable};
    use crate::db::DatabaseUrl;

    fn set_mode(file: &std::path::Path, mode: u32) {
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_that_others_can_read_is_wrong_and_the_remedy_is_a_command() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("auth.db");
        let url = DatabaseUrl::parse(&format!("sqlite://{}", file.display())).unwrap();
        let command = format!("chmod go= '{}'*", file.display());
        let outcome = |url| check(url).remove(0).outcome;
        outcome(&url).unwrap();
        for suffix in ["", "-wal", "-shm"] {
            let file = url.file_with_suffix(suffix).unwrap();
            fs::write(&file, "").unwrap();
            for mode in [0o640, 0o604, 0o660] {
                set_mode(&file, mode);
                let findings = check(&url);
                assert_eq!(findings.len(), 1);
                let remedy = findings[0].outcome.as_ref().unwrap_err();
                assert!(remedy.ends_with(&command), "{remedy}");
            }
            set_mode(&file, 0o600);
            outcome(&url).unwrap();
        }
    }

    #[test]
    fn a_path_is_creatable_if_its_nearest_folder_is_writable() {
        let folder = tempfile::tempdir().unwrap();
        assert!(is_writable_or_creatable(&folder.path().join("a/b/c.db")));
        assert!(is_writable_or_creatable(folder.path()));
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(is_writable_or_creatable(&file));
        assert!(
            !is_writable_or_creatable(&file.join("c.db")),
            "a file is no folder"
        );
    }
}
