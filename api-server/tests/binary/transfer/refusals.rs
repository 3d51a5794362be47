//! Sources that are not what they should be: said in one go, with exit code 1, and nothing is written anywhere.

use std::fs;

use super::world::{Engine, World, on_both_engines};
use harness::Outcome;

on_both_engines! {
    a_half_migrated_source_is_refused_before_anything_is_written,
    a_source_that_is_not_there_is_refused,
}

fn assert_refused(world: &World, outcome: &Outcome, why: &str) {
    assert_eq!(outcome.code, Some(1), "{}", outcome.output());
    assert!(outcome.stderr.contains(why), "{why}\n{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("Nothing was imported."),
        "{}",
        outcome.stderr
    );
    assert!(!world.place.path("data").exists());
}

fn a_half_migrated_source_is_refused_before_anything_is_written(engine: Engine) {
    let world = World::empty(engine);
    world.execute("CREATE TABLE other (id text)");
    let refused = |arguments: &[&str], why: &str| {
        assert_refused(&world, &world.import_with(arguments), why);
    };
    refused(&[], "there is no table \"user\"");
    world.execute("CREATE TABLE \"user\" (id text, email text, name text)");
    refused(&[], "there is no table \"account\"");
    world.execute("CREATE TABLE account (id text)");
    refused(
        &[],
        "the table \"user\" has no column emailVerified, image, createdAt, updatedAt, but id, email, name",
    );
    refused(&["--snake-case"], "has no column email_verified, image");
    refused(&["--user-table", "users"], "there is no table \"users\"");
    let world = World::new(engine);
    world.add_user("a", "ada@example.com", 1);
    let refused = |arguments: &[&str], why: &str| {
        assert_refused(&world, &world.import_with(arguments), why);
    };
    refused(&["--tasks", "tasks"], "there is no table \"tasks\"");
    world.execute("CREATE TABLE tasks (id integer, title text, user_id text)");
    refused(
        &["--tasks", "tasks"],
        "the table \"tasks\" has no column description, is_completed or completed, created_at, updated_at, but",
    );
    world.execute("ALTER TABLE account DROP COLUMN password");
    refused(&[], "the table \"account\" has no column password");
}

fn a_source_that_is_not_there_is_refused(engine: Engine) {
    let world = World::empty(engine);
    let source = match engine {
        Engine::Sqlite => "sqlite://nowhere.db",
        Engine::Postgres => "postgres://ada:hunter2@127.0.0.1:1/nowhere",
    };
    let command = ["users", "import", "better-auth", "--from", source];
    let outcome = world.program().args(&command).run();
    assert_refused(&world, &outcome, "cannot import from ");
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    assert!(!world.place.path("nowhere.db").exists());
}

#[test]
fn a_file_that_is_no_database_or_a_broken_one_is_refused() {
    let world = World::new(Engine::Sqlite);
    for number in 0..200 {
        world.add_user(&format!("u{number}"), &format!("u{number}@example.com"), 1);
    }
    let file = world.place.path("source.db");
    let good = fs::read(&file).unwrap();
    let mut torn = good.clone();
    let middle = torn.len() / 2;
    torn[middle..].fill(0x5a);
    for broken in [b"canary".repeat(999), good[..middle].to_vec(), torn] {
        fs::write(&file, broken).unwrap();
        assert_refused(
            &world,
            &world.import_with(&[]),
            "cannot import from sqlite://source.db (--from): ",
        );
    }
}

#[test]
fn a_database_in_utf_16_is_refused_with_what_to_do() {
    let world = World::empty(Engine::Sqlite);
    world.execute("PRAGMA encoding = 'UTF-16'; CREATE TABLE other (id text)");
    assert_refused(
        &world,
        &world.import_with(&[]),
        "the database is in UTF-16; copy it",
    );
}

#[test]
fn the_source_is_not_touched() {
    let world = World::new(Engine::Sqlite);
    world.add_user("a", "ada@example.com", 1);
    let file = world.place.path("source.db");
    let before = fs::read(&file).unwrap();
    let mut permissions = fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&file, permissions).unwrap();
    world.import(&[]);
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(world.place.names(), ["data", "source.db"]);
}

#[test]
fn arguments_that_make_no_sense_are_refused_with_what_else_is_wrong() {
    let world = World::empty(Engine::Sqlite);
    let refused = |arguments: &[&str], remedies: &[&str]| {
        let program = world.program().args(&["users", "import", "better-auth"]);
        let outcome = program
            .set("DATABASE_URL", "mysql://x")
            .args(arguments)
            .run();
        assert_eq!(outcome.code, Some(2), "{}", outcome.output());
        for remedy in remedies {
            assert!(outcome.stderr.contains(remedy), "{}", outcome.stderr);
        }
    };
    refused(&[], &["--from <URL>"]);
    refused(
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
    assert_eq!(world.place.names(), [""; 0]);
}
