//! Tests that only the owner can read new files with secrets, and that a start notices if others can read such a file.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use harness::{SECRET, WorkDir};

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

fn set_mode(file: &Path, mode: u32) {
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_new_database_in_a_folder_that_all_users_may_write_is_private() {
    let work_dir = WorkDir::new();
    fs::create_dir(work_dir.path("data")).unwrap();
    set_mode(&work_dir.path("data"), 0o777);
    let server = work_dir.quick_server();
    server.register("ada@example.com", "correct horse battery staple");
    for name in ["auth.db", "auth.db-wal", "auth.db-shm", "auth.db.secret"] {
        let file = work_dir.path("data").join(name);
        assert_eq!(mode(&file), 0o600, "{name}");
    }
    server.stop();
}

#[test]
fn a_database_that_migrate_creates_is_private() {
    let work_dir = WorkDir::new();
    let program = work_dir.program().set("DATABASE_URL", "sqlite://own.db");
    program.args(&["migrate"]).run().assert_succeeded();
    assert_eq!(mode(&work_dir.path("own.db")), 0o600);
}

#[test]
fn a_secret_file_that_other_users_may_access_is_rejected_with_the_remedy() {
    let work_dir = WorkDir::new();
    work_dir.program().start().stop();
    let secret_file = work_dir.path("data/auth.db.secret");
    for loose_mode in [0o640, 0o604, 0o610, 0o602, 0o644, 0o777] {
        set_mode(&secret_file, loose_mode);
        for arguments in [&["serve"][..], &["keys", "derive", "--audience", "reports"]] {
            let outcome = work_dir.program().args(arguments).run();
            assert_eq!(
                outcome.code,
                Some(2),
                "{loose_mode:o}: {}",
                outcome.output()
            );
            for message_part in ["AUTH_SECRET: ", "chmod 600 'data/auth.db.secret'"] {
                assert!(outcome.stderr.contains(message_part), "{}", outcome.stderr);
            }
        }
        assert_eq!(mode(&secret_file), loose_mode);
    }
    for private_mode in [0o600, 0o400, 0o700] {
        set_mode(&secret_file, private_mode);
        work_dir.program().start().stop();
    }
}

#[test]
fn with_a_configured_secret_the_mode_of_the_secret_file_does_not_matter() {
    let work_dir = WorkDir::new();
    work_dir.program().start().stop();
    set_mode(&work_dir.path("data/auth.db.secret"), 0o644);
    work_dir.program().set("AUTH_SECRET", SECRET).start().stop();
}

#[test]
fn a_database_that_other_users_may_read_is_served_with_a_warning() {
    let work_dir = WorkDir::new();
    work_dir.program().start().stop();
    let database_file = work_dir.path("data/auth.db");
    let log_with_private_file = work_dir.program().start().stop().text();
    assert!(
        !log_with_private_file.contains("chmod"),
        "{log_with_private_file}"
    );
    set_mode(&database_file, 0o640);
    let log = work_dir.program().start().stop().text();
    assert!(log.contains("chmod go= 'data/auth.db'*"), "{log}");
    assert_eq!(mode(&database_file), 0o640);
}
