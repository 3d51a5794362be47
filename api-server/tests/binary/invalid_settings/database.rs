//! Tests invalid database URLs, unreachable databases and invalid pool sizes.

use std::net::TcpListener;

use harness::{SECRET, TIMEOUT, WorkDir};

use super::{MAX_FAILED_START_TIME, assert_each_rejected, assert_rejected, assert_starts, run};

#[test]
fn the_database_url_names_a_sqlite_file_or_a_postgres_server() {
    let invalid_values = [
        "",
        "auth.db",
        "sqlite:auth.db",
        "mysql://db/auth",
        "postgres:/db",
        "http://db",
    ];
    assert_each_rejected(
        "DATABASE_URL",
        &invalid_values,
        "use sqlite://PATH or postgres://USER",
    );
    assert_each_rejected("DATABASE_URL", &["sqlite://"], "name the file");
    assert_each_rejected("DATABASE_URL", &["sqlite://:memory:"], "in-memory");
    assert_each_rejected(
        "DATABASE_URL",
        &["sqlite://auth.db?mode=ro"],
        "leave out the ?",
    );
}

/// If libpq cannot parse a URL, the error of libpq quotes the URL. If libpq parses a part of the password as the host,
/// the error quotes that part. The program must therefore reject such a URL itself.
#[test]
fn a_postgres_url_that_libpq_would_misread_is_not_printed() {
    for url in [
        "postgres://ada:hunter%zz2@db.example/auth",
        "postgres://ada:hunter2@[::1]x/auth",
        "postgres://ada:hunter2@[::1/auth",
        "postgres://ada:hunter/2@db.example/auth",
        "postgres://ada:77/hunter2@db.example/auth",
        "postgres://ada:77?hunter2@db.example/auth",
        "postgres://ada:hunter?2@db.example/auth",
        "postgres://ada:hunter#2@db.example/auth",
        "postgres://ada:hunter@2@db.example/auth",
        "postgres://ada:hunter 2@db.example/auth",
        "postgres://ada@db.example/auth?password=hunter%zz",
        "postgres://ada@db.example/auth?hunter2",
    ] {
        let settings = [("DATABASE_URL", url), ("AUTH_SECRET", SECRET)];
        assert_rejected(&settings, "DATABASE_URL", "%40");
        assert!(!run(&settings).stderr.contains("hunter"), "{url}");
    }
}

#[test]
fn an_unreachable_postgres_is_reported_without_the_password() {
    // After the listener is dropped, no process listens on the port.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("postgres://ada:hunter2@{addr}/auth");
    let printed_url = format!("postgres://{addr}/auth");
    for command in ["serve", "migrate"] {
        let work_dir = WorkDir::new();
        let program = work_dir
            .program()
            .set("DATABASE_URL", &url)
            .args(&[command]);
        let outcome = program.set("AUTH_SECRET", SECRET).run();
        outcome.assert_failed(1, &["DATABASE_URL", &printed_url, "refused"]);
        assert!(
            outcome.duration < MAX_FAILED_START_TIME,
            "took {:?}",
            outcome.duration
        );
        assert!(
            !outcome.output().contains("hunter2"),
            "{}",
            outcome.output()
        );
    }
}

#[test]
fn a_postgres_that_never_responds_times_out() {
    let silent_listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "postgres://ada@{}/auth",
        silent_listener.local_addr().unwrap()
    );
    let outcome = run(&[("DATABASE_URL", &url), ("AUTH_SECRET", SECRET)]);
    outcome.assert_failed(1, &["DATABASE_URL"]);
    assert!(
        outcome.duration < TIMEOUT / 2,
        "took {:?}",
        outcome.duration
    );
}

/// The URL has a file in place of the folder. A read-only folder would not do, because root can write to every folder.
#[test]
fn a_folder_that_cannot_be_written_is_reported() {
    for (settings, exit_code) in [(&[][..], 2), (&[("AUTH_SECRET", SECRET)], 1)] {
        let work_dir = WorkDir::new();
        work_dir.write("file", "");
        let program = work_dir
            .program()
            .set("DATABASE_URL", "sqlite://file/auth.db");
        let outcome = program.set_all(settings).run();
        outcome.assert_failed(exit_code, &["DATABASE_URL", "file"]);
        assert!(
            outcome.duration < MAX_FAILED_START_TIME,
            "took {:?}",
            outcome.duration
        );
        assert_eq!(work_dir.names(), ["file"]);
    }
}

#[test]
fn the_database_pool_has_1_to_1000_connections() {
    let invalid_values = ["", "0", "1001", "-1", "1.5", "abc", "99999999999999999999"];
    assert_each_rejected("DATABASE_POOL_SIZE", &invalid_values, "from 1 to 1000");
    for pool_size in ["1", "1000"] {
        assert_starts(&[("DATABASE_POOL_SIZE", pool_size)]);
    }
}

#[test]
fn postgres_needs_a_configured_secret() {
    let settings = [("DATABASE_URL", "postgres://ada:hunter2@127.0.0.1:1/auth")];
    assert_rejected(&settings, "AUTH_SECRET", "api-server keys generate");
    assert!(!run(&settings).output().contains("hunter2"));
}
