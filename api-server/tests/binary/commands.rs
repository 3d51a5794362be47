//! Tests the commands `keys generate`, `openapi`, `serve` and `migrate`.

use harness::{Postgres, SECRET, WorkDir, repository_file};

fn generate_secret() -> String {
    let work_dir = WorkDir::new();
    let outcome = work_dir
        .bare_program()
        .args(&["keys", "generate"])
        .run()
        .assert_succeeded();
    assert_eq!(outcome.stderr, "");
    assert_eq!(work_dir.names(), [""; 0]);
    outcome.stdout
}

#[test]
fn keys_generate_prints_a_secret_that_is_accepted() {
    let (first_secret, second_secret) = (generate_secret(), generate_secret());
    assert_ne!(first_secret, second_secret);
    for secret in [&first_secret, &second_secret] {
        assert_eq!(secret.lines().count(), 1, "{secret:?}");
        assert!(secret.trim().len() >= 43, "{secret:?}");
    }
    let work_dir = WorkDir::new();
    let program = work_dir.program().with_weak_hashing();
    let program = program.set("AUTH_SECRET", first_secret.trim());
    let server = program
        .set("AUTH_SECRETS_PREVIOUS", second_secret.trim())
        .start();
    let user = server.register("ada@example.com", "correct horse battery staple");
    server.get("/api/auth/session", &user.token).expect(200);
}

#[test]
fn openapi_prints_the_document_that_is_committed_and_served() {
    let work_dir = WorkDir::new();
    let outcome = work_dir
        .bare_program()
        .args(&["openapi"])
        .run()
        .assert_succeeded();
    assert_eq!(outcome.stderr, "");
    assert_eq!(work_dir.names(), [""; 0]);
    assert!(
        outcome.stdout == repository_file("docs/openapi.json"),
        "renew it with: cargo run -- openapi > docs/openapi.json"
    );
    let served_document = work_dir
        .program()
        .start()
        .get("/api/openapi.json", "")
        .expect(200);
    let printed_document: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(served_document, printed_document);
}

#[test]
fn the_command_serve_starts_the_server() {
    let work_dir = WorkDir::new();
    let server = work_dir.program().args(&["serve"]).start();
    server.get("/readyz", "").expect(200);
}

#[test]
fn migrate_creates_a_sqlite_file_and_no_secret_file() {
    let work_dir = WorkDir::new();
    let outcome = work_dir
        .bare_program()
        .args(&["migrate"])
        .run()
        .assert_succeeded();
    assert!(
        outcome.stderr.contains("migrated the database"),
        "{}",
        outcome.stderr
    );
    assert!(work_dir.path("data/auth.db").exists());
    assert!(!work_dir.path("data/auth.db.secret").exists());
    let second_outcome = work_dir
        .bare_program()
        .args(&["migrate"])
        .run()
        .assert_succeeded();
    assert_eq!(second_outcome.output(), "");
    work_dir.program().start().get("/readyz", "").expect(200);
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn migrate_prepares_a_postgres_database_and_needs_no_secret() {
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    let migrate = || {
        let program = work_dir
            .program()
            .set("DATABASE_URL", postgres.url_with_password("hunter2"));
        program.args(&["migrate"]).run().assert_succeeded().output()
    };
    assert!(migrate().contains("migrated the database"));
    assert_eq!(migrate(), "");
    let program = work_dir
        .program()
        .set("DATABASE_URL", postgres.url_with_password("hunter2"));
    let server = program.set("AUTH_SECRET", SECRET).start();
    server.get("/readyz", "").expect(200);
    assert_eq!(work_dir.names(), [""; 0]);
}
