//! Tests that a signal ends a backup, an export or a restore without a file, and without half of a change.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use harness::{Running, WorkDir};
use rustix::process::Signal;

use super::wait_until;

const DATABASE: &str = "data/auth.db";
/// A time in the database.
const TIME: &str = "'2026-01-02 03:04:05.000000'";

/// Creates a database with this many users.
fn work_dir_with_users(count: usize) -> WorkDir {
    let work_dir = WorkDir::new();
    work_dir
        .bare_program()
        .args(&["migrate"])
        .run()
        .assert_succeeded();
    open(&work_dir, DATABASE)
        .batch_execute(&format!(
            "INSERT INTO users (id, email, email_verified, created_at, updated_at) \
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) \
             SELECT 'u' || n, 'u' || n || '@example.com', TRUE, {TIME}, {TIME} FROM numbers"
        ))
        .unwrap();
    work_dir
}

fn open(work_dir: &WorkDir, name: &str) -> SqliteConnection {
    let file = work_dir.path(name);
    SqliteConnection::establish(file.to_str().unwrap()).unwrap()
}

/// Makes every other process wait for the file, until the result is dropped.
fn lock(work_dir: &WorkDir, name: &str) -> SqliteConnection {
    let mut connection = open(work_dir, name);
    let setup = "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE";
    connection.batch_execute(setup).unwrap();
    connection
}

/// Starts the command, and waits until it has created a temporary file or folder in this folder.
fn start_until_temporary_file(work_dir: &WorkDir, arguments: &[&str], folder: &str) -> Running {
    let command = work_dir.bare_program().args(arguments).spawn_with_input();
    wait_until(|| temporary_file_in(&work_dir.path(folder)));
    command
}

fn temporary_file_in(folder: &Path) -> bool {
    let is_temporary = |name: &str| name.starts_with(".tmp");
    names_in(folder).iter().any(|name| is_temporary(name))
}

/// Returns the names in the folder, sorted.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn a_backup_and_an_export_leave_no_file() {
    for arguments in [
        &["backup", "copy"][..],
        &["users", "export", "--to", "copy"],
    ] {
        let work_dir = work_dir_with_users(1);
        let locked = lock(&work_dir, DATABASE);
        let mut command = start_until_temporary_file(&work_dir, arguments, ".");
        command.signal(Signal::INT);
        assert_eq!(command.exit_code(), Some(130), "{arguments:?}");
        let message = command.stderr.line("interrupted by SIGINT");
        assert!(message.ends_with(": no file was written"), "{message}");
        assert_eq!(work_dir.names(), ["data"], "{arguments:?}");
        drop(locked);
        work_dir
            .bare_program()
            .args(arguments)
            .run()
            .assert_succeeded();
        assert_eq!(work_dir.names(), ["copy", "data"], "{arguments:?}");
    }
}

#[test]
fn an_export_to_a_file_is_private_and_never_replaces_a_file() {
    let work_dir = work_dir_with_users(3);
    let run = |arguments: &[&str]| work_dir.bare_program().args(arguments).run();
    let export = ["users", "export", "--to", "users.jsonl"];
    assert_eq!(run(&export).assert_succeeded().stdout, "");
    let file = work_dir.path("users.jsonl");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let expected_text = run(&["users", "export"]).assert_succeeded().stdout;
    assert_eq!(fs::read_to_string(&file).unwrap(), expected_text);
    run(&export).assert_failed(1, &["users.jsonl exists; name a file that does not exist"]);
}

#[test]
fn an_export_to_a_pipe_that_nobody_reads_says_that_it_is_not_complete() {
    let work_dir = work_dir_with_users(20_000);
    let program = work_dir.bare_program().args(&["users", "export"]);
    let (mut export, output) = program.spawn_with_unread_output();
    export.stderr.line("export: ");
    export.signal(Signal::TERM);
    assert_eq!(export.exit_code(), Some(143));
    export
        .stderr
        .line("interrupted by SIGTERM: the output is not complete");
    drop(output);
}

#[test]
fn a_restore_that_is_ended_before_its_transaction_leaves_no_copy() {
    let work_dir = work_dir_with_users(1);
    let run = |arguments: &[&str]| work_dir.bare_program().args(arguments).run();
    run(&["backup", "backup.db"]).assert_succeeded();
    let locked = lock(&work_dir, "backup.db");
    let arguments = ["restore", "backup.db", "--replace"];
    let mut restore = start_until_temporary_file(&work_dir, &arguments, "data");
    restore.signal(Signal::INT);
    assert_eq!(restore.exit_code(), Some(130));
    let message = restore.stderr.line("interrupted by SIGINT");
    let remains = "the accounts and sessions of the database are unchanged";
    assert!(message.ends_with(remains), "{message}");
    assert!(!temporary_file_in(&work_dir.path("data")));
    drop(locked);
    run(&arguments).assert_succeeded();
}

#[test]
fn a_restore_that_is_ended_in_its_transaction_changes_nothing() {
    const NEW_COUNT: usize = 50_000;
    let (source, target) = (work_dir_with_users(NEW_COUNT), work_dir_with_users(7));
    let backup = source.path("backup.db");
    let backup = backup.to_str().unwrap();
    let command = source.bare_program().args(&["backup", backup]);
    command.run().assert_succeeded();
    let program = target
        .bare_program()
        .args(&["restore", backup, "--replace"]);
    let mut restore = program.spawn_with_input();
    // The log of the database grows during the transaction, and before it only by the schema.
    let log_file = target.path("data/auth.db-wal");
    wait_until(|| fs::metadata(&log_file).is_ok_and(|file| file.len() > 1 << 20));
    restore.signal(Signal::INT);
    let expected_count = match restore.exit_code() {
        Some(130) => 7,
        // The restore was complete before the signal arrived.
        Some(0) => NEW_COUNT,
        code => panic!("{code:?}\n{}", restore.stderr.text()),
    };
    let names = names_in(&target.path("data"));
    assert!(
        names.iter().all(|name| name.starts_with("auth.db")),
        "{names:?}"
    );
    let export = target.bare_program().args(&["users", "export"]).run();
    assert_eq!(
        export.assert_succeeded().stdout.lines().count(),
        expected_count
    );
}
