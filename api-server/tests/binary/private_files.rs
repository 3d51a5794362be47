//! Files that hold hashes and secrets are for their owner alone.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use harness::{Place, SECRET};

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

fn set_mode(file: &Path, mode: u32) {
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_new_database_in_a_folder_of_others_is_private() {
    let place = Place::new();
    fs::create_dir(place.path("data")).unwrap();
    set_mode(&place.path("data"), 0o777);
    let server = place.quick_server();
    server.register("ada@example.com", "correct horse battery staple");
    for name in ["auth.db", "auth.db-wal", "auth.db-shm", "auth.db.secret"] {
        let file = place.path("data").join(name);
        assert_eq!(mode(&file), 0o600, "{name}");
    }
    server.stop();
}

#[test]
fn a_database_by_the_command_migrate_is_private_too() {
    let place = Place::new();
    let program = place.program().set("DATABASE_URL", "sqlite://own.db");
    program.args(&["migrate"]).run().succeeded();
    assert_eq!(mode(&place.path("own.db")), 0o600);
}

#[test]
fn a_secret_that_others_may_read_is_refused_with_the_command_to_run() {
    let place = Place::new();
    place.program().start().stop();
    let secret = place.path("data/auth.db.secret");
    for loose in [0o640, 0o604, 0o610, 0o602, 0o644, 0o777] {
        set_mode(&secret, loose);
        for arguments in [&["serve"][..], &["keys", "derive", "--audience", "reports"]] {
            let outcome = place.program().args(arguments).run();
            assert_eq!(outcome.code, Some(2), "{loose:o}: {}", outcome.output());
            for part in ["AUTH_SECRET: ", "chmod 600 'data/auth.db.secret'"] {
                assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
            }
        }
        assert_eq!(mode(&secret), loose);
    }
    for private in [0o600, 0o400, 0o700] {
        set_mode(&secret, private);
        place.program().start().stop();
    }
}

#[test]
fn a_secret_given_otherwise_makes_the_loose_file_not_matter() {
    let place = Place::new();
    place.program().start().stop();
    set_mode(&place.path("data/auth.db.secret"), 0o644);
    place.program().set("AUTH_SECRET", SECRET).start().stop();
}

#[test]
fn a_database_that_others_may_read_is_said_in_the_log_and_served() {
    let place = Place::new();
    place.program().start().stop();
    let database = place.path("data/auth.db");
    let log = place.program().start().stop().text();
    assert!(!log.contains("chmod"), "{log}");
    set_mode(&database, 0o640);
    let log = place.program().start().stop().text();
    assert!(log.contains("chmod go= 'data/auth.db'*"), "{log}");
    assert_eq!(mode(&database), 0o640);
}
