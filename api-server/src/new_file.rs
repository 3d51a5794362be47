//! Writes a new file that only its owner can read, completely or not at all.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::progress::Progress;

/// A file that gets its name only when it is complete and on the disk. Dropping this value removes the file, and so
/// does [`Progress`] when it ends the process after a signal.
pub(crate) struct NewFile {
    temp_file: NamedTempFile,
    path: PathBuf,
    progress: Progress,
}

impl NewFile {
    /// Creates a temporary file in the folder of `path`. Fails if `path` exists.
    pub(crate) fn create(path: &Path, progress: &Progress) -> Result<Self, String> {
        if path.symlink_metadata().is_ok() {
            return Err(format!(
                "{} exists; name a file that does not exist",
                path.display()
            ));
        }
        // `tempfile` creates files that only their owner can read.
        let temp_file =
            NamedTempFile::new_in(folder_of(path)).map_err(|error| explain(path, &error))?;
        progress.remove_on_exit(temp_file.path());
        Ok(Self {
            temp_file,
            path: path.to_owned(),
            progress: progress.clone(),
        })
    }

    /// Returns the path that the file has until it is complete.
    pub(crate) fn temporary_path(&self) -> &Path {
        self.temp_file.path()
    }

    /// The file, for writing.
    pub(crate) fn file(&self) -> &File {
        self.temp_file.as_file()
    }

    /// Waits until the content is on the disk, and then gives the file its name. Fails if a file with this name exists
    /// by now. Signals that arrive after the wait are ignored. Returns the size of the file in bytes.
    pub(crate) fn complete(self) -> Result<u64, String> {
        let Self {
            temp_file,
            path,
            progress,
        } = self;
        let complete = || {
            temp_file.as_file().sync_all()?;
            progress.ignore_signals();
            Ok(give_name(temp_file, &path)?.metadata()?.len())
        };
        complete().map_err(|error: io::Error| explain(&path, &error))
    }
}

/// Writes a new file, which contains these parts. Fails with the kind `AlreadyExists` if a file with this name exists.
pub(crate) fn write(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut temp_file = NamedTempFile::new_in(folder_of(path))?;
    for part in parts {
        temp_file.write_all(part)?;
    }
    temp_file.as_file().sync_all()?;
    give_name(temp_file, path).map(drop)
}

/// Gives a file, whose content is on the disk, its name, and waits until the name is on the disk as well. Fails if a
/// file with this name exists.
fn give_name(temp_file: NamedTempFile, path: &Path) -> io::Result<File> {
    let file = temp_file
        .persist_noclobber(path)
        .map_err(|error| error.error)?;
    File::open(folder_of(path))?.sync_all()?;
    Ok(file)
}

fn explain(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}

/// Returns the folder that contains the file; `.` for a name without a folder.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use tempfile::TempDir;

    use super::{NewFile, folder_of};
    use crate::progress::Progress;

    fn count_files(folder: &TempDir) -> usize {
        fs::read_dir(folder.path()).unwrap().count()
    }

    #[test]
    fn a_complete_file_is_private_and_has_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let new_file = NewFile::create(&path, &Progress::hidden()).unwrap();
        new_file.file().write_all(b"text").unwrap();
        assert!(!path.exists());
        assert_eq!(new_file.complete().unwrap(), 4);
        assert_eq!(fs::read(&path).unwrap(), b"text");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(count_files(&folder), 1);
    }

    #[test]
    fn an_incomplete_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let new_file = NewFile::create(&folder.path().join("file"), &Progress::hidden()).unwrap();
        assert_eq!(count_files(&folder), 1);
        drop(new_file);
        assert_eq!(count_files(&folder), 0);
    }

    #[test]
    fn an_existing_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let new_file = NewFile::create(&path, &Progress::hidden()).unwrap();
        fs::write(&path, "other").unwrap();
        assert!(
            new_file
                .complete()
                .unwrap_err()
                .starts_with("cannot write ")
        );
        let error = NewFile::create(&path, &Progress::hidden()).err().unwrap();
        assert!(
            error.ends_with(" exists; name a file that does not exist"),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), b"other");
        assert_eq!(count_files(&folder), 1);
    }

    #[test]
    fn a_file_name_alone_is_in_the_current_folder() {
        assert_eq!(folder_of(Path::new("file")), Path::new("."));
        assert_eq!(folder_of(Path::new("a/file")), Path::new("a"));
        assert_eq!(folder_of(Path::new("/file")), Path::new("/"));
    }
}
