//! Tests `check`, which examines an installation and changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::thread::spawn;

use harness::{Outcome, Postgres, Program, SECRET, WorkDir};

fn check(program: Program) -> Outcome {
    program.args(&["check"]).run()
}

/// Asserts that exactly one part is wrong, and that its line has each of these texts.
#[track_caller]
fn assert_wrong(outcome: &Outcome, texts: &[&str]) {
    let wrong_lines: Vec<_> = outcome
        .stdout
        .lines()
        .filter(|line| line.starts_with("WRONG"))
        .collect();
    assert_eq!(
        (outcome.code, wrong_lines.len()),
        (Some(1), 1),
        "{}",
        outcome.output()
    );
    for text in texts {
        assert!(
            wrong_lines[0].contains(text),
            "{text:?} is not in {}",
            wrong_lines[0]
        );
    }
}

/// Asserts that nothing is wrong, and that the output has a line that starts with each of these texts.
#[track_caller]
fn assert_right(outcome: Outcome, line_starts: &[&str]) {
    let stdout = outcome.assert_succeeded().stdout;
    for start in line_starts {
        let has_line = stdout.lines().any(|line| line.starts_with(start));
        assert!(has_line, "no line starts with {start:?}:\n{stdout}");
    }
}

/// The names, modes and contents of all files in `data`, without those of the folder `mail`.
fn snapshot(work_dir: &WorkDir) -> BTreeMap<String, (u32, Vec<u8>)> {
    let entries = fs::read_dir(work_dir.path("data")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.is_file());
    let describe = |path: std::path::PathBuf| {
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        (path.display().to_string(), (mode, fs::read(&path).unwrap()))
    };
    files.map(describe).collect()
}

#[test]
fn in_an_empty_folder_all_is_right_and_nothing_is_created() {
    let work_dir = WorkDir::new();
    let lines = [
        "OK    settings: all are valid",
        "OK    database: sqlite://data/auth.db does not exist yet, the first start creates it",
        "OK    permissions: ",
        "OK    PUBLIC_URL: http://127.0.0.1:8080 ",
        "OK    TRUSTED_PROXIES: no proxy is in front",
        "OK    mails: SMTP_URL is not set, so mails are written to data/mail",
    ];
    assert_right(check(work_dir.bare_program()), &lines);
    assert_eq!(work_dir.names(), [""; 0]);
}

#[test]
fn the_keys_of_a_signing_key_are_listed_and_an_exposed_file_is_wrong() {
    let work_dir = WorkDir::new();
    let arguments = ["keys", "generate", "--algorithm", "es256", "key.pem"];
    let generated = work_dir.bare_program().args(&arguments).run();
    let thumbprint = generated.stdout.lines().last().unwrap();
    let program = || work_dir.bare_program().set("AUTH_SIGNING_KEY", "key.pem");
    let outcome = check(program()).assert_succeeded();
    let is_listed = |line: &str| line.starts_with("OK    keys: ") && line.contains(thumbprint);
    assert!(outcome.stdout.lines().any(is_listed), "{}", outcome.stdout);
    let exposed = fs::Permissions::from_mode(0o640);
    fs::set_permissions(work_dir.path("key.pem"), exposed).unwrap();
    assert_wrong(
        &check(program()),
        &["AUTH_SIGNING_KEY", "chmod 600 'key.pem'"],
    );
}

#[test]
fn a_stopped_servers_files_stay_as_they_are() {
    let work_dir = WorkDir::new();
    work_dir.quick_server().stop();
    let before = snapshot(&work_dir);
    let lines = [
        "OK    database: sqlite://data/auth.db responds",
        "OK    schema: it is the one of this version",
        "OK    clock: it agrees with the clock of the database",
    ];
    assert_right(check(work_dir.bare_program()), &lines);
    assert_eq!(snapshot(&work_dir), before);
}

#[test]
fn a_running_server_can_be_checked() {
    let work_dir = WorkDir::new();
    let server = work_dir.quick_server();
    server.register("ada@example.com", "correct horse battery staple");
    let before = snapshot(&work_dir);
    assert_right(check(work_dir.bare_program()), &["OK    schema: "]);
    assert_eq!(snapshot(&work_dir).len(), before.len());
    server
        .log_in("ada@example.com", "correct horse battery staple")
        .expect(200);
}

#[test]
fn every_invalid_setting_is_a_line_and_the_other_parts_are_checked_all_the_same() {
    let work_dir = WorkDir::new();
    let program = work_dir
        .bare_program()
        .set_all(&[("BCRYPT_COST", "99"), ("AUTH_SECRET", "hunter2")]);
    let outcome = check(program);
    assert_eq!(outcome.code, Some(1));
    for line in [
        "WRONG BCRYPT_COST: use 10 to 15",
        "WRONG AUTH_SECRET: ",
        "OK    database: ",
    ] {
        assert!(
            outcome.stdout.contains(line),
            "{line:?}:\n{}",
            outcome.stdout
        );
    }
    assert!(!outcome.output().contains("hunter2"));
}

#[test]
fn a_database_that_is_no_database_is_wrong() {
    let work_dir = WorkDir::new();
    fs::create_dir(work_dir.path("data")).unwrap();
    work_dir.write("data/auth.db", "this is a text of more than sixteen bytes");
    fs::set_permissions(
        work_dir.path("data/auth.db"),
        fs::Permissions::from_mode(0o600),
    )
    .unwrap();
    let texts = [
        "database: sqlite://data/auth.db cannot be read: ",
        "check DATABASE_URL",
    ];
    assert_wrong(&check(work_dir.bare_program()), &texts);
}

#[test]
fn a_database_that_other_users_can_read_is_wrong() {
    let work_dir = WorkDir::new();
    work_dir.quick_server().stop();
    fs::set_permissions(
        work_dir.path("data/auth.db"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let outcome = check(work_dir.bare_program());
    assert_wrong(
        &outcome,
        &["permissions: ", "run: chmod go= 'data/auth.db'*"],
    );
}

#[test]
fn a_readable_env_file_is_wrong_only_if_it_has_a_secret() {
    let work_dir = WorkDir::new();
    work_dir.write(".env", "LOG_FORMAT=text\n");
    fs::set_permissions(work_dir.path(".env"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_right(check(work_dir.bare_program()), &["OK    permissions: "]);
    work_dir.write(".env", format!("AUTH_SECRET={SECRET}\n"));
    let outcome = check(work_dir.bare_program());
    assert_wrong(&outcome, &["AUTH_SECRET in .env; run: chmod 600 .env"]);
    fs::set_permissions(work_dir.path(".env"), fs::Permissions::from_mode(0o600)).unwrap();
    assert_right(check(work_dir.bare_program()), &["OK    permissions: "]);
}

#[test]
fn a_mail_server_that_does_not_answer_is_wrong() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let thread = spawn(move || drop(listener.accept().unwrap()));
    let work_dir = WorkDir::new();
    let program = work_dir.bare_program();
    let url = format!("smtp://{address}");
    let outcome = check(program.set_all(&[("SMTP_URL", &url), ("MAIL_FROM", "a@b.example")]));
    assert_wrong(&outcome, &["mails: ", &address, "check SMTP_URL"]);
    thread.join().unwrap();
}

#[test]
fn https_without_a_trusted_proxy_is_wrong() {
    let work_dir = WorkDir::new();
    let program = || {
        let program = work_dir.bare_program();
        program.set("PUBLIC_URL", "https://api.example")
    };
    assert_wrong(&check(program()), &["TRUSTED_PROXIES: PUBLIC_URL is https"]);
    let program = program().set("TRUSTED_PROXIES", "127.0.0.1");
    let line = "OK    TRUSTED_PROXIES: X-Forwarded-For is trusted only from 127.0.0.1/32";
    assert_right(check(program), &[line]);
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn a_postgres_database_is_checked_before_and_after_its_migration() {
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    let url = postgres.url_with_password("hunter2");
    let program = || {
        work_dir
            .bare_program()
            .set_all(&[("DATABASE_URL", &url), ("AUTH_SECRET", SECRET)])
    };
    let outcome = check(program());
    assert!(!outcome.output().contains("hunter2"));
    assert_right(
        outcome,
        &[
            "OK    database: postgres://",
            "OK    schema: the next start runs",
            "OK    clock: ",
        ],
    );
    program().args(&["migrate"]).run().assert_succeeded();
    assert_right(
        check(program()),
        &["OK    schema: it is the one of this version"],
    );
    postgres.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')");
    let texts =
        ["schema: a newer version of api-server has migrated the database (20990101000000)"];
    assert_wrong(&check(program()), &texts);
    assert_eq!(work_dir.names(), [""; 0]);
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn a_postgres_server_that_rejects_connections_is_wrong() {
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    postgres.reject_connections();
    let url = postgres.url_with_password("hunter2");
    let program = work_dir
        .bare_program()
        .set_all(&[("DATABASE_URL", &url), ("AUTH_SECRET", SECRET)]);
    let outcome = check(program);
    assert_wrong(
        &outcome,
        &[
            "database: ",
            "cannot be read: ",
            "not currently accepting connections",
        ],
    );
    assert!(!outcome.output().contains("hunter2"));
}
