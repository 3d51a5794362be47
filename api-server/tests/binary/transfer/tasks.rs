//! Tests the import of tasks with their owners.

use serde_json::json;

use super::fixtures::{Engine, Fixture, PASSWORD, assert_has_lines, on_both_engines};
use harness::{Server, User};

on_both_engines! {
    tasks_are_imported_in_order_of_creation_and_only_once,
    a_task_that_was_deleted_after_an_import_is_not_imported_again,
    a_task_that_cannot_be_imported_is_reported,
    ids_may_have_other_types_than_text,
}

const CREATE_TASKS: &str = "CREATE TABLE tasks (id integer PRIMARY KEY, owner_id text, title text NOT NULL, description text, \
    is_completed {bool} NOT NULL, created_at {time} NOT NULL, updated_at {time} NOT NULL)";

fn fixture_with_users(engine: Engine) -> Fixture {
    let fixture = Fixture::new(engine);
    fixture.add_user("a", "ada@example.com", 1);
    fixture.add_user("b", "bob@example.com", 2);
    fixture.execute_in_source(&fixture.with_column_types(CREATE_TASKS));
    fixture
}

/// Adds a task that was created on this day of January 2026.
fn add_task(fixture: &Fixture, id: u32, owner_id: &str, title: &str, day: u32) {
    let time = format!("2026-01-{day:02}T00:00:00Z");
    fixture.execute_in_source(&format!(
        "INSERT INTO tasks SELECT {id}, '{owner_id}', '{title}', 'Why', \"emailVerified\", '{time}', '{time}' FROM \"user\" LIMIT 1"
    ));
}

fn log_in(server: &Server, email: &str) -> User {
    User::of(&server.log_in(email, PASSWORD).expect(200))
}

fn tasks_are_imported_in_order_of_creation_and_only_once(engine: Engine) {
    let fixture = fixture_with_users(engine);
    add_task(&fixture, 7, "a", "second", 2);
    add_task(&fixture, 8, "b", "third", 3);
    add_task(&fixture, 9, "a", "first", 1);
    let first_report = fixture.import(&["--tasks", "tasks"]);
    assert!(
        first_report.ends_with("tasks: 3 imported, 0 already present, 0 rejected\n"),
        "{first_report}"
    );
    let server = fixture.serve();
    let ada = log_in(&server, "ada@example.com");
    assert_eq!(server.task_titles(&ada), ["second", "first"]);
    let tasks = server.get("/api/tasks", &ada.token).expect(200);
    assert_eq!(tasks[0]["description"], "Why");
    assert_eq!(tasks[0]["completed"], true);
    assert_eq!(tasks[0]["created_at"], "2026-01-02T00:00:00.000Z");
    assert_eq!(
        server.task_titles(&log_in(&server, "bob@example.com")),
        ["third"]
    );

    add_task(&fixture, 10, "a", "fourth", 4);
    let second_report = fixture.import(&["--tasks", "tasks"]);
    assert!(
        second_report.ends_with("tasks: 1 imported, 3 already present, 0 rejected\n"),
        "{second_report}"
    );
    assert_eq!(server.task_titles(&ada), ["fourth", "second", "first"]);
}

fn a_task_that_was_deleted_after_an_import_is_not_imported_again(engine: Engine) {
    let fixture = fixture_with_users(engine);
    add_task(&fixture, 1, "a", "once", 1);
    fixture.import(&["--tasks", "tasks"]);
    let server = fixture.serve();
    let ada = log_in(&server, "ada@example.com");
    let task_id = &server.get("/api/tasks", &ada.token).expect(200)[0]["id"];
    let delete_response =
        server
            .connect()
            .request("DELETE", &format!("/api/tasks/{task_id}"), &ada.token, None);
    delete_response.expect(200);
    fixture.import(&["--tasks", "tasks"]);
    assert_eq!(server.task_titles(&ada), [""; 0]);
    let create_response = server.post("/api/tasks", &ada.token, &json!({ "title": "mine" }));
    create_response.expect(201);
    assert_eq!(server.task_titles(&ada), ["mine"]);
}

fn a_task_that_cannot_be_imported_is_reported(engine: Engine) {
    let fixture = fixture_with_users(engine);
    let long_title = "x".repeat(201);
    add_task(&fixture, 1, "a", "good", 1);
    add_task(&fixture, 2, "a", "   ", 1);
    add_task(&fixture, 3, "a", &long_title, 1);
    add_task(&fixture, 4, "unknown", "of an unknown user", 1);
    add_task(&fixture, 5, "c", "of a user who is not imported", 1);
    fixture.add_user_without_password("c", "no address", 3);
    add_task(&fixture, 6, "a", "a long description", 1);
    let long_description = "y".repeat(10_001);
    fixture.execute_in_source(&format!(
        "UPDATE tasks SET description = '{long_description}' WHERE id = 6"
    ));
    add_task(&fixture, 7, "a", "no owner", 1);
    fixture.execute_in_source("UPDATE tasks SET owner_id = NULL WHERE id = 7");
    let output = fixture.import(&["--tasks", "tasks"]);
    let expected_lines = [
        "task \"2\" rejected: its title is required",
        "task \"3\" rejected: its title must be at most 200 characters",
        "task \"4\" rejected: its owner is not among the users there",
        "task \"5\" rejected: its owner is not among the users here",
        "task \"6\" rejected: its description must be at most 10000 characters",
        "task \"7\" rejected: its owner is not among the users there",
        "tasks: 1 imported, 0 already present, 6 rejected",
    ];
    assert_has_lines(&output, &expected_lines);
}

fn ids_may_have_other_types_than_text(engine: Engine) {
    for (id_type, id) in [
        ("integer", "41"),
        ("varchar(64)", "abc"),
        ("uuid", "0193d5a1-0000-7000-8000-00000000000a"),
    ] {
        let fixture = Fixture::without_tables(engine);
        let create_user_tables = super::fixtures::CREATE_TABLES.replace("{id}", id_type);
        let create_statements = create_user_tables + &CREATE_TASKS.replace("id integer", "id uuid");
        fixture.execute_in_source(&fixture.with_column_types(&create_statements));
        let time = "'2026-01-02T03:04:05.678Z'";
        let true_literal = fixture.true_literal();
        let task_id = "0193d5a1-0000-7000-8000-000000000001";
        let account_id = if id_type == "integer" { "9" } else { id };
        fixture.execute_in_source(&format!(
            r#"INSERT INTO "user" VALUES ('{id}', 'Ada', 'ada@example.com', {true_literal}, NULL, {time}, {time});
               INSERT INTO "account" (id, "accountId", "providerId", "userId", password, "createdAt", "updatedAt")
               VALUES ('{account_id}', '{id}', 'credential', '{id}', '{hash}', {time}, {time});
               INSERT INTO tasks VALUES ('{task_id}', '{id}', 'imported', NULL, {true_literal}, {time}, {time});"#,
            hash = super::fixtures::SCRYPT_HASH
        ));
        let output = fixture.import(&["--tasks", "tasks"]);
        assert!(
            output.ends_with("tasks: 1 imported, 0 already present, 0 rejected\n"),
            "{id_type}: {output}"
        );
        assert_eq!(fixture.exported_user_ids(), [id], "{id_type}");
        let server = fixture.serve();
        let ada = log_in(&server, "ada@example.com");
        assert_eq!(server.task_titles(&ada), ["imported"], "{id_type}");
    }
}
