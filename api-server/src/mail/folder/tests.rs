//! Tests that mails in the folder are complete, private and limited in number.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::MailFolder;
use crate::mail::address::parse_mailbox;
use crate::mail::message::{ComposedMail, Composer};
use crate::mail::settings::{FOLDER_SENDER, MailSettings};

fn compose(seconds: u64) -> ComposedMail {
    let settings = MailSettings {
        smtp: None,
        from: parse_mailbox(FOLDER_SENDER).unwrap(),
        reply_to: None,
        templates: None,
        folder: PathBuf::new(),
    };
    let composer = Composer::new(&settings, "http://127.0.0.1:8080").unwrap();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    composer.compose_test("id", "ada@example.com", now).unwrap()
}

fn folder_in(parent: &TempDir, max_files: usize) -> MailFolder {
    let path = parent.path().join("data/mail");
    MailFolder { path, max_files }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let to_name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
    let mut names: Vec<_> = entries.map(|entry| to_name(entry.unwrap())).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_file_contains_the_mail_and_is_named_after_time_kind_and_id() {
    let parent = tempfile::tempdir().unwrap();
    let mail = compose(1_772_438_709);
    let path = folder_in(&parent, 10).write(&mail, "0192-ab").unwrap();
    assert_eq!(
        path.file_name().unwrap(),
        "20260302T080509Z-test-0192-ab.eml"
    );
    assert_eq!(fs::read(&path).unwrap(), mail.bytes());
    assert_eq!(names(path.parent().unwrap()).len(), 1);
}

#[test]
fn only_the_owner_can_read_the_mails() {
    let parent = tempfile::tempdir().unwrap();
    let path = folder_in(&parent, 10).write(&compose(0), "a").unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[test]
fn a_second_attempt_replaces_the_file() {
    let parent = tempfile::tempdir().unwrap();
    let folder = folder_in(&parent, 10);
    let path = folder.write(&compose(0), "a").unwrap();
    assert_eq!(folder.write(&compose(0), "a").unwrap(), path);
    assert_eq!(names(&folder.path).len(), 1);
}

#[test]
fn the_oldest_mails_beyond_the_limit_are_removed_and_no_other_files() {
    let parent = tempfile::tempdir().unwrap();
    let folder = folder_in(&parent, 3);
    folder.write(&compose(9), "first-written").unwrap();
    fs::write(folder.path.join("0-notes.txt"), "").unwrap();
    for second in 0..5 {
        folder.write(&compose(second), "x").unwrap();
    }
    let expected = [
        "0-notes.txt",
        "19700101T000003Z-test-x.eml",
        "19700101T000004Z-test-x.eml",
        "19700101T000009Z-test-first-written.eml",
    ];
    assert_eq!(names(&folder.path), expected);
}

#[test]
fn an_id_cannot_lead_out_of_the_folder() {
    let parent = tempfile::tempdir().unwrap();
    let folder = folder_in(&parent, 3);
    let path = folder.write(&compose(0), "../../a/b\0\n").unwrap();
    assert_eq!(path, folder.path.join("19700101T000000Z-test-ab.eml"));
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_the_remedy() {
    let parent = tempfile::tempdir().unwrap();
    fs::write(parent.path().join("data"), "").unwrap();
    let error = folder_in(&parent, 3).write(&compose(0), "a").unwrap_err();
    assert!(
        error.contains("data/mail") && error.contains("SMTP_URL"),
        "{error}"
    );
}
