//! Writes mails to files if no SMTP server is configured.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, Utc};

use super::message::ComposedMail;
use crate::db::create_private_folder;

/// The most mails that are kept.
const MAX_FILES: usize = 1000;

/// A folder of mails. Only the system user of the server can read the files, because they contain links with tokens.
#[derive(Debug)]
pub(crate) struct MailFolder {
    path: PathBuf,
    max_files: usize,
}

impl MailFolder {
    pub(super) const fn new(path: PathBuf) -> Self {
        let max_files = MAX_FILES;
        Self { path, max_files }
    }

    /// Writes the mail to a file, and removes the oldest files beyond the limit. Returns the path of the file. A second
    /// call for the same mail replaces the file.
    pub(super) fn write(&self, mail: &ComposedMail, id: &str) -> Result<PathBuf, String> {
        let path = self.path.join(file_name(mail, id));
        self.write_file(&path, mail.bytes())
            .and_then(|()| self.remove_oldest())
            .map_err(|error| {
                let folder = self.path.display();
                format!(
                    "cannot write a mail to the folder {folder}: {error}; make the folder writable, or set SMTP_URL"
                )
            })?;
        Ok(path)
    }

    /// Writes a temporary file with mode 0600, then renames it to `path`, so that the file at `path` is always
    /// complete.
    fn write_file(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        create_private_folder(&self.path)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }

    /// Removes the oldest mails beyond `max_files`. File names start with the time of the mail, so they sort by age.
    fn remove_oldest(&self) -> io::Result<()> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            if Path::new(&name).extension() == Some("eml".as_ref()) {
                names.push(name);
            }
        }
        names.sort_unstable();
        let surplus = names.len().saturating_sub(self.max_files);
        for name in names.iter().take(surplus) {
            match fs::remove_file(self.path.join(name)) {
                // Another process may have removed the file.
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Returns a name such as `20261121T140503Z-password_reset-0192….eml`. Of the id, only ASCII letters, digits and `-`
/// are kept, so that the name cannot lead to another folder.
fn file_name(mail: &ComposedMail, id: &str) -> String {
    let is_safe = |character: &char| character.is_ascii_alphanumeric() || *character == '-';
    let id: String = id.chars().filter(is_safe).take(64).collect();
    let (time, kind) = (time_stamp(mail.created_at()), mail.label());
    format!("{time}-{kind}-{id}.eml")
}

fn time_stamp(time: SystemTime) -> String {
    let time = DateTime::<Utc>::from(time);
    time.format("%Y%m%dT%H%M%SZ").to_string()
}

#[cfg(test)]
mod tests;
