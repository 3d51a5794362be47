//! Tests the export of users and tasks as JSON Lines, and the import of JSON Lines.

use std::fs::File;

use serde_json::{Value, json};

use super::fixtures::{Engine, Fixture, PASSWORD, SCRYPT_HASH, assert_has_lines, on_both_engines};
use harness::User;

on_both_engines! {
    an_export_is_imported_into_another_database,
    importing_an_export_into_its_source_changes_nothing,
    lines_that_cannot_be_imported_are_reported,
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn an_export_can_move_to_postgres_and_back_to_sqlite() {
    let (source, postgres_fixture) = (
        Fixture::without_tables(Engine::Sqlite),
        Fixture::without_tables(Engine::Postgres),
    );
    let source_server = source.serve();
    let ada = source_server.register("ada@example.com", PASSWORD);
    source_server
        .add_task(&ada, "Ünï\u{1f600}\n\"quoted\"\\")
        .expect(201);
    let report = import_into(&postgres_fixture, &source.export(&["--tasks"]));
    assert!(
        report.ends_with("tasks: 1 imported, 0 already present, 0 rejected\n"),
        "{report}"
    );
    let target = Fixture::without_tables(Engine::Sqlite);
    import_into(&target, &postgres_fixture.export(&["--tasks"]));
    assert_eq!(target.export(&["--tasks"]), source.export(&["--tasks"]));
    let target_server = target.serve();
    let token_response = target_server
        .log_in("ada@example.com", PASSWORD)
        .expect(200);
    assert_eq!(
        target_server.task_titles(&User::of(&token_response)),
        source_server.task_titles(&ada)
    );
}

/// Imports JSON Lines into the fixture's target database, asserts that the import succeeds, and returns the report.
fn import_into(fixture: &Fixture, json_lines: &str) -> String {
    fixture.work_dir.write("users.jsonl", json_lines);
    let command = ["users", "import", "json", "--from", "users.jsonl"];
    let program = fixture.program().set("RUST_LOG", "warn");
    program.args(&command).run().assert_succeeded().stderr
}

fn an_export_is_imported_into_another_database(engine: Engine) {
    let (source, target) = (
        Fixture::without_tables(engine),
        Fixture::without_tables(engine),
    );
    let source_server = source.serve();
    for name in ["ada", "bob"] {
        let user = source_server.register(&format!("{name}@example.com"), PASSWORD);
        for title in ["first", "second"] {
            source_server
                .add_task(&user, &format!("{name}'s {title}"))
                .expect(201);
        }
    }
    let exported_lines = source.export(&["--tasks"]);
    assert_eq!(exported_lines.lines().count(), 6);
    assert_eq!(source.export(&[]).lines().count(), 2);

    target.work_dir.write("users.jsonl", &exported_lines);
    let program = target.program().args(&["users", "import", "json"]);
    let input_file = File::open(target.work_dir.path("users.jsonl")).unwrap();
    let output = program.run_with_input(input_file).assert_succeeded().stderr;
    assert!(
        output.contains("users: 2 imported, 0 already present, 0 rejected\n"),
        "{output}"
    );
    assert!(
        output.contains("tasks: 4 imported, 0 already present, 0 rejected\n"),
        "{output}"
    );
    assert_eq!(target.export(&["--tasks"]), exported_lines);
    let target_server = target.serve();
    let token_response = target_server
        .log_in("bob@example.com", PASSWORD)
        .expect(200);
    assert_eq!(
        target_server.task_titles(&User::of(&token_response)),
        ["bob's second", "bob's first"]
    );
    let report = import_into(&target, &exported_lines);
    assert!(
        report.contains("tasks: 0 imported, 4 already present"),
        "{report}"
    );
}

fn importing_an_export_into_its_source_changes_nothing(engine: Engine) {
    let fixture = Fixture::without_tables(engine);
    let server = fixture.serve();
    let ada = server.register("ada@example.com", PASSWORD);
    server.add_task(&ada, "only once").expect(201);
    let exported_lines = fixture.export(&["--tasks"]);
    let output = import_into(&fixture, &exported_lines);
    assert_eq!(
        output,
        "users: 0 imported, 1 already present, 0 rejected\ntasks: 0 imported, 1 already present, 0 rejected\n"
    );
    assert_eq!(server.task_titles(&ada), ["only once"]);
}

fn lines_that_cannot_be_imported_are_reported(engine: Engine) {
    let fixture = Fixture::without_tables(engine);
    let user_line = |id: &str, changes: Value| {
        let mut user = json!({
            "id": id, "email": format!("{id}@example.com"), "name": null, "image": null, "email_verified": false,
            "password_hash": null, "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z",
        });
        for (name, value) in changes.as_object().unwrap() {
            user[name] = value.clone();
        }
        json!({ "user": user }).to_string()
    };
    let task = json!({ "task": {
        "id": "1", "user_id": "good", "user_email": "eve@example.com", "title": "x", "description": null,
        "completed": false, "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z",
    }});
    let lines = [
        "canary".to_owned(),
        user_line("good", json!({})),
        String::new(),
        user_line("nul", json!({ "name": "a\0b" })),
        user_line("hash", json!({ "password_hash": "canary" })),
        user_line("year", json!({ "created_at": "10000-01-01T00:00:00Z" })),
        user_line("type", json!({ "email": 7 })),
        user_line("twice", json!({ "email": "GOOD@example.com" })),
        user_line("good", json!({})),
        task.to_string(),
        format!("{{\"user\":{{\"id\":\"{}\"}}}}", "x".repeat(1 << 20)),
        user_line("last", json!({ "password_hash": SCRYPT_HASH })),
        user_line("cut", json!({})).split_at(50).0.to_owned(),
    ];
    let output = import_into(&fixture, &lines.join("\n"));
    let expected_lines = [
        "line 1 rejected: it is neither a user nor a task (it is not JSON, column 1)",
        "user \"nul\" rejected: its name must not contain the NUL character",
        "user \"hash\" rejected: its password hash is neither bcrypt of cost 4 to 15 nor Better Auth's scrypt",
        "user \"year\" rejected: the time of its creation is not in the years 1 to 9999",
        "user \"twice\" rejected: its email is that of the user \"good\" here",
        "task \"1\" rejected: its owner is not among the users here",
        "line 11 rejected: it is over 1 MiB",
        "users: 2 imported (1 without a password), 1 already present, 4 rejected",
        "tasks: 0 imported, 0 already present, 1 rejected",
        "lines: 4 rejected",
    ];
    assert_has_lines(&output, &expected_lines);
    assert!(!output.contains("canary"), "{output}");
    assert_eq!(fixture.exported_user_ids(), ["good", "last"]);
    fixture.assert_logs_in("last@example.com");
}

#[test]
fn a_missing_file_or_database_is_rejected() {
    let fixture = Fixture::without_tables(Engine::Sqlite);
    for (arguments, reason) in [
        (
            &["users", "import", "json", "--from", "nowhere.jsonl"][..],
            "nowhere.jsonl (--from): ",
        ),
        (
            &["users", "export"][..],
            "cannot export sqlite://data/auth.db (DATABASE_URL): there is no file data/auth.db",
        ),
    ] {
        let outcome = fixture.program().args(arguments).run();
        outcome.assert_failed(1, &[reason]);
    }
    assert_eq!(fixture.work_dir.names(), [""; 0]);
}
