//! Tests imports from invalid sources and with invalid arguments, and that an import does not change its source.

use std::fs;

use super::fixtures::{Engine, Fixture, on_both_engines};
use harness::Outcome;

on_both_engines! {
    a_source_without_a_required_table_or_column_is_rejected,
    a_missing_source_is_rejected,
}

fn assert_rejected(fixture: &Fixture, outcome: &Outcome, reason: &str) {
    outcome.assert_failed(1, &[reason, "Nothing was imported."]);
    assert!(!fixture.work_dir.path("data").exists());
}

/// Asserts that an import with these arguments is rejected for this reason.
fn assert_import_rejected(fixture: &Fixture, arguments: &[&str], reason: &str) {
    assert_rejected(fixture, &fixture.run_import(arguments), reason);
}

fn a_source_without_a_required_table_or_column_is_rejected(engine: Engine) {
    let fixture = Fixture::without_tables(engine);
    fixture.execute_in_source("CREATE TABLE other (id text)");
    assert_import_rejected(&fixture, &[], "there is no table \"user\"");
    fixture.execute_in_source("CREATE TABLE \"user\" (id text, email text, name text)");
    assert_import_rejected(&fixture, &[], "there is no table \"account\"");
    fixture.execute_in_source("CREATE TABLE account (id text)");
    assert_import_rejected(
        &fixture,
        &[],
        "the table \"user\" has no column emailVerified, image, createdAt, updatedAt, but id, email, name",
    );
    assert_import_rejected(
        &fixture,
        &["--snake-case"],
        "has no column email_verified, image",
    );
    assert_import_rejected(
        &fixture,
        &["--user-table", "users"],
        "there is no table \"users\"",
    );
    let fixture_with_tables = Fixture::new(engine);
    fixture_with_tables.add_user("a", "ada@example.com", 1);
    assert_import_rejected(
        &fixture_with_tables,
        &["--tasks", "tasks"],
        "there is no table \"tasks\"",
    );
    fixture_with_tables
        .execute_in_source("CREATE TABLE tasks (id integer, title text, user_id text)");
    assert_import_rejected(
        &fixture_with_tables,
        &["--tasks", "tasks"],
        "the table \"tasks\" has no column description, is_completed or completed, created_at, updated_at, but",
    );
    fixture_with_tables.execute_in_source("ALTER TABLE account DROP COLUMN password");
    assert_import_rejected(
        &fixture_with_tables,
        &[],
        "the table \"account\" has no column password",
    );
}

fn a_missing_source_is_rejected(engine: Engine) {
    let fixture = Fixture::without_tables(engine);
    let source = match engine {
        Engine::Sqlite => "sqlite://nowhere.db",
        Engine::Postgres => "postgres://ada:hunter2@127.0.0.1:1/nowhere",
    };
    let command = ["users", "import", "better-auth", "--from", source];
    let outcome = fixture.program().args(&command).run();
    assert_rejected(&fixture, &outcome, "cannot import from ");
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    assert!(!fixture.work_dir.path("nowhere.db").exists());
}

#[test]
fn an_invalid_or_corrupt_database_file_is_rejected() {
    let fixture = Fixture::new(Engine::Sqlite);
    for number in 0..200 {
        fixture.add_user(&format!("u{number}"), &format!("u{number}@example.com"), 1);
    }
    let file = fixture.work_dir.path("source.db");
    let valid_bytes = fs::read(&file).unwrap();
    let mut overwritten_bytes = valid_bytes.clone();
    let middle = overwritten_bytes.len() / 2;
    overwritten_bytes[middle..].fill(0x5a);
    for corrupt_bytes in [
        b"canary".repeat(999),
        valid_bytes[..middle].to_vec(),
        overwritten_bytes,
    ] {
        fs::write(&file, corrupt_bytes).unwrap();
        assert_rejected(
            &fixture,
            &fixture.run_import(&[]),
            "cannot import from sqlite://source.db (--from): ",
        );
    }
}

#[test]
fn a_database_in_utf_16_is_rejected_with_the_remedy() {
    let fixture = Fixture::without_tables(Engine::Sqlite);
    fixture.execute_in_source("PRAGMA encoding = 'UTF-16'; CREATE TABLE other (id text)");
    assert_rejected(
        &fixture,
        &fixture.run_import(&[]),
        "the database is in UTF-16; copy it",
    );
}

#[test]
fn an_import_does_not_change_the_source() {
    let fixture = Fixture::new(Engine::Sqlite);
    fixture.add_user("a", "ada@example.com", 1);
    let file = fixture.work_dir.path("source.db");
    let original_bytes = fs::read(&file).unwrap();
    let mut permissions = fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&file, permissions).unwrap();
    fixture.import(&[]);
    assert_eq!(fs::read(&file).unwrap(), original_bytes);
    assert_eq!(fixture.work_dir.names(), ["data", "source.db"]);
}

#[test]
fn invalid_arguments_are_reported_together_with_invalid_settings() {
    let fixture = Fixture::without_tables(Engine::Sqlite);
    let assert_arguments_rejected = |arguments: &[&str], message_parts: &[&str]| {
        let program = fixture.program().args(&["users", "import", "better-auth"]);
        let outcome = program
            .set("DATABASE_URL", "mysql://x")
            .args(arguments)
            .run();
        outcome.assert_failed(2, message_parts);
    };
    assert_arguments_rejected(&[], &["--from <URL>"]);
    assert_arguments_rejected(
        &[
            "--from",
            "auth.db",
            "--user-table",
            "a\"b",
            "--account-table",
            "",
            "--tasks",
            "x;y",
        ],
        &[
            "DATABASE_URL: ",
            "--from: use sqlite://PATH or",
            "--user-table: ",
            "--account-table: ",
            "--tasks: ",
        ],
    );
    assert_eq!(fixture.work_dir.names(), [""; 0]);
}
