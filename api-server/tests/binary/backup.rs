//! Tests `backup` and `restore` as commands: their output, their files and their exit codes.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::thread;
use std::time::Duration;

use harness::{Outcome, Postgres, SECRET, Server, User, WorkDir};
use serde_json::json;

/// The delay between two attempts to use a token after a restore.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
const PASSWORD: &str = "correct horse battery staple";

fn run(work_dir: &WorkDir, arguments: &[&str]) -> Outcome {
    work_dir.bare_program().args(arguments).run()
}

/// Starts a server with one user, who has the task `before`.
fn server_with_task(work_dir: &WorkDir) -> (Server, User) {
    let server = work_dir.quick_server();
    let user = server.register("ada@example.com", PASSWORD);
    server.add_task(&user, "before").expect(201);
    (server, user)
}

fn log_in(server: &Server) -> User {
    User::of(&server.log_in("ada@example.com", PASSWORD).expect(200))
}

#[test]
fn a_backup_of_a_running_server_is_complete_and_private() {
    let work_dir = WorkDir::new();
    let (server, user) = server_with_task(&work_dir);
    let outcome = run(&work_dir, &["backup", "backup.db"]).assert_succeeded();
    assert!(
        outcome.stdout.starts_with("wrote backup.db ("),
        "{}",
        outcome.stdout
    );
    assert!(
        outcome
            .stdout
            .contains("keep a copy of data/auth.db.secret"),
        "{}",
        outcome.stdout
    );
    assert_eq!(work_dir.names(), ["backup.db", "data"]);
    let mode = fs::metadata(work_dir.path("backup.db"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    server.add_task(&user, "after").expect(201);
    server.stop();

    let new_dir = WorkDir::new();
    fs::copy(work_dir.path("backup.db"), new_dir.path("backup.db")).unwrap();
    let outcome = run(&new_dir, &["restore", "backup.db"]).assert_succeeded();
    assert!(
        outcome
            .stdout
            .starts_with("the database has 1 accounts; all 1 sessions are ended")
    );
    // A warning would be about a file that other users can read.
    assert!(!outcome.stderr.contains("WARN"), "{}", outcome.stderr);
    assert_eq!(new_dir.names(), ["backup.db", "data"]);
    let names: Vec<_> = fs::read_dir(new_dir.path("data")).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    let mode = fs::metadata(new_dir.path("data/auth.db"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let new_server = new_dir.quick_server();
    let titles_after = |user: &User| new_server.get("/api/tasks", &user.token);
    // Tokens are rejected for five seconds after a restore.
    let tasks = loop {
        let response = titles_after(&log_in(&new_server));
        if response.status == 200 {
            break response.expect(200);
        }
        assert_eq!(response.expect(401)["code"], "TOKEN_REVOKED");
        thread::sleep(POLL_INTERVAL);
    };
    assert_eq!(
        (tasks.as_array().unwrap().len(), &tasks[0]["title"]),
        (1, &"before".into())
    );
}

#[test]
fn a_file_is_never_overwritten() {
    let work_dir = WorkDir::new();
    work_dir.quick_server().stop();
    work_dir.write("file", "content");
    symlink("nowhere", work_dir.path("link")).unwrap();
    fs::create_dir(work_dir.path("folder")).unwrap();
    for name in ["file", "link", "folder", "data/auth.db"] {
        let outcome = run(&work_dir, &["backup", name]);
        outcome.assert_failed(
            1,
            &[&format!("{name} exists; name a file that does not exist")],
        );
    }
    assert_eq!(
        fs::read_to_string(work_dir.path("file")).unwrap(),
        "content"
    );
    assert_eq!(work_dir.names(), ["data", "file", "folder", "link"]);
}

#[test]
fn a_backup_without_a_database_or_a_folder_fails_and_creates_nothing() {
    let work_dir = WorkDir::new();
    let outcome = run(&work_dir, &["backup", "backup.db"]);
    outcome.assert_failed(1, &["sqlite://data/auth.db (DATABASE_URL) does not exist"]);
    assert_eq!(work_dir.names(), [""; 0]);
    work_dir.quick_server().stop();
    let outcome = run(&work_dir, &["backup", "missing/backup.db"]);
    outcome.assert_failed(1, &["cannot write missing/backup.db: "]);
    assert_eq!(work_dir.names(), ["data"]);
}

#[test]
fn a_database_with_accounts_is_replaced_only_if_told_to() {
    let work_dir = WorkDir::new();
    let (server, _) = server_with_task(&work_dir);
    run(&work_dir, &["backup", "backup.db"]).assert_succeeded();
    server.register("bob@example.com", PASSWORD);
    server.stop();
    let outcome = run(&work_dir, &["restore", "backup.db"]);
    outcome.assert_failed(
        1,
        &[
            "has 2 accounts, which the restore would replace",
            "--replace",
        ],
    );
    let server = work_dir.quick_server();
    server.log_in("bob@example.com", PASSWORD).expect(200);
    server.stop();
    let outcome = run(&work_dir, &["restore", "backup.db", "--replace"]).assert_succeeded();
    assert!(
        outcome.stdout.starts_with("the database has 1 accounts"),
        "{}",
        outcome.stdout
    );
    let server = work_dir.quick_server();
    server.log_in("bob@example.com", PASSWORD).expect(401);
    server.log_in("ada@example.com", PASSWORD).expect(200);
}

#[test]
fn a_file_that_is_no_backup_is_rejected_and_the_database_kept() {
    let work_dir = WorkDir::new();
    let (server, user) = server_with_task(&work_dir);
    work_dir.write("text", "this is a text of more than sixteen bytes");
    work_dir.write("empty", "");
    for (name, message) in [
        ("missing", "there is no file missing"),
        ("data", "there is no file data"),
        ("text", "cannot read text: "),
        ("empty", "empty is no backup of api-server"),
        (
            "data/auth.db",
            "data/auth.db is the database itself (DATABASE_URL)",
        ),
    ] {
        let outcome = run(&work_dir, &["restore", name, "--replace"]);
        outcome.assert_failed(1, &[message]);
    }
    assert_eq!(server.task_titles(&user), ["before"]);
    assert_eq!(work_dir.names(), ["data", "empty", "text"]);
}

#[test]
fn postgres_is_refused_with_the_program_to_use() {
    let work_dir = WorkDir::new();
    let url = "postgres://ada:hunter2@db.example/auth";
    for (arguments, programs) in [
        (["backup", "backup.db"], ["DATABASE_URL: ", "pg_dump"]),
        (
            ["restore", "backup.db"],
            ["pg_restore", "restore --end-sessions"],
        ),
    ] {
        let program = work_dir.bare_program().set("DATABASE_URL", url);
        let outcome = program.args(&arguments).run();
        outcome.assert_failed(2, &programs);
        assert!(!outcome.output().contains("hunter2"));
    }
}

#[test]
fn restore_needs_either_a_file_or_the_flag() {
    let work_dir = WorkDir::new();
    run(&work_dir, &["restore"]).assert_failed(2, &["<FILE>"]);
    for arguments in [
        &["restore", "backup.db", "--end-sessions"][..],
        &["restore", "--replace", "--end-sessions"],
        &["restore", "--replace"],
    ] {
        assert_eq!(run(&work_dir, arguments).code, Some(2), "{arguments:?}");
    }
    let outcome = run(&work_dir, &["restore", "--end-sessions"]);
    outcome.assert_failed(1, &["does not exist"]);
    assert_eq!(work_dir.names(), [""; 0]);
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn the_sessions_of_a_restored_postgres_database_are_ended() {
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    let url = postgres.url_with_password("hunter2");
    let program = || {
        work_dir
            .program()
            .with_weak_hashing()
            .set("DATABASE_URL", &url)
    };
    let server = program().set("AUTH_SECRET", SECRET).start();
    let user = server.register("ada@example.com", PASSWORD);
    // The command needs no secret.
    let outcome = program()
        .args(&["restore", "--end-sessions"])
        .run()
        .assert_succeeded();
    assert!(
        outcome
            .stdout
            .starts_with("the database has 1 accounts; all 1 sessions are ended")
    );
    server.log.line("a backup of the database was restored");
    let response = server.get("/api/auth/session", &user.token).expect(401);
    assert_eq!(response["code"], "TOKEN_REVOKED");
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn a_running_server_reports_a_restore_without_the_end_of_the_sessions() {
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    let start = || {
        let program = work_dir.program().with_weak_hashing();
        let program = program.set("DATABASE_URL", postgres.url_with_password("hunter2"));
        program.set("AUTH_SECRET", SECRET).start()
    };
    let first_server = start();
    let user = first_server.register("ada@example.com", PASSWORD);
    let response = first_server.post("/api/auth/logout", &user.token, &json!({}));
    response.expect(200);
    // This server has read the logout before its first response.
    let server = start();
    server.get("/readyz", "").expect(200);
    postgres.execute("DELETE FROM revocations; UPDATE revocation_sequence SET last = 0");
    let advice =
        "sessions that ended since are valid again; run: api-server restore --end-sessions";
    server.log.line(advice);
}
