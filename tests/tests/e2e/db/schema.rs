//! Tests that the columns of users and tasks are not confused, with rows in which each text and each time is different.
//! Also tests the columns of a new session.

use e2e::{App, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    the_columns_of_a_user_are_not_confused,
    the_columns_of_a_task_are_not_confused,
    every_column_of_a_new_session_has_its_value,
}

/// Reads the columns of the one row that matches this condition, joined by `|`.
fn read_row(app: &App, columns: &[&str], table: &str, condition: &str) -> String {
    let cast_to_text = |name: &&str| format!("coalesce(CAST({name} AS TEXT), 'NULL')");
    let expressions: Vec<_> = columns.iter().map(cast_to_text).collect();
    let row_expression = expressions.join(" || '|' || ");
    let query = format!("SELECT {row_expression} FROM {table} WHERE {condition}");
    app.database().value(&query).unwrap()
}

async fn the_columns_of_a_user_are_not_confused(app: App) {
    app.database().execute(
        "INSERT INTO users \
         (id, email, name, image, email_verified, language, roles, custom_claims, claims_version, password_hash, \
         created_at, updated_at) VALUES ('the id', 'the email', 'the name', 'the image', TRUE, 'the language', \
         'the-role', '{\"the\":1}', 0, 'the hash', \
         '2001-02-03 04:05:06.789012', '2011-12-13 14:15:16.171819')",
    );
    let user = app.bearer(app.token_for("the id", "the email of the token"));
    let mut expected = json!({
        "id": "the id",
        "email": "the email",
        "name": "the name",
        "image": "the image",
        "email_verified": true,
        "language": "the language",
        "roles": ["the-role"],
        "created_at": "2001-02-03T04:05:06.789Z",
        "updated_at": "2011-12-13T14:15:16.171Z",
    });
    assert_eq!(user.get("/api/auth/account").await.ok(), expected);

    let body = json!({ "name": "a name", "image": "an image", "language": "de" });
    let changed_user = user.patch("/api/auth/account", body).await.ok();
    expected["name"] = "a name".into();
    expected["image"] = "an image".into();
    expected["language"] = "de".into();
    expected["updated_at"] = e2e::TestClock::START.into();
    assert_eq!(changed_user, expected);
    let columns = [
        "id",
        "email",
        "name",
        "image",
        "language",
        "password_hash",
        "created_at",
        "updated_at",
    ];
    let stored_row = read_row(&app, &columns, "users", "email_verified");
    let expected_row = "the id|the email|a name|an image|de|the hash|\
                    2001-02-03 04:05:06.789012|2026-11-20 12:57:51.869123";
    assert_eq!(stored_row, expected_row);
}

async fn the_columns_of_a_task_are_not_confused(app: App) {
    let ada = app.user("ada").await;
    app.database().execute(&format!(
        "INSERT INTO tasks (user_id, title, description, completed, created_at, updated_at) VALUES \
         ('{}', 'the title', 'the description', TRUE, \
         '2001-02-03 04:05:06.789012', '2011-12-13 14:15:16.171819')",
        ada.id()
    ));
    let tasks = ada.all_tasks().await;
    let mut expected = json!({
        "id": tasks[0]["id"],
        "user_id": ada.id(),
        "title": "the title",
        "description": "the description",
        "completed": true,
        "created_at": "2001-02-03T04:05:06.789Z",
        "updated_at": "2011-12-13T14:15:16.171Z",
    });
    assert_eq!(tasks, json!([expected]));
    let path = ada.task(&tasks[0]["id"]);
    assert_eq!(ada.get(&path).await.ok(), expected);

    let body = json!({ "title": "a title", "description": "a description" });
    let changed_task = ada.patch(&path, body).await.ok();
    expected["title"] = "a title".into();
    expected["description"] = "a description".into();
    expected["updated_at"] = e2e::TestClock::START.into();
    assert_eq!(changed_task, expected);
    let columns = ["title", "description", "created_at", "updated_at"];
    let stored_row = read_row(&app, &columns, "tasks", "completed");
    let expected_row =
        "a title|a description|2001-02-03 04:05:06.789012|2026-11-20 12:57:51.869123";
    assert_eq!(stored_row, expected_row);

    let toggled_task = ada.request("POST", &format!("{path}/toggle")).await.ok();
    assert_eq!(toggled_task["title"], "a title");
    assert_eq!(toggled_task["description"], "a description");
}

async fn every_column_of_a_new_session_has_its_value(app: App) {
    let body = json!({ "email": "ada@example.com", "password": "correct horse" });
    let request = app.anonymous().post("/api/auth/register", body);
    let token_response: Value = request.header("user-agent", "the device").await.created();
    let columns = [
        "id",
        "user_id",
        "counter",
        "rotated_at",
        "late_recoveries",
        "late_recovery_counter",
        "created_at",
        "last_used_at",
        "expires_at",
        "revoked_at",
        "ip_address",
        "user_agent",
    ];
    let stored_row = read_row(&app, &columns, "sessions", "TRUE");
    let to_text = |value: &Value| value.as_str().unwrap().to_owned();
    let (session_id, user_id) = (
        to_text(&token_response["session_id"]),
        to_text(&token_response["user"]["id"]),
    );
    let expected_row = format!(
        "{session_id}|{user_id}|0|NULL|0|NULL|2026-11-20 12:57:51.869123|2026-11-20 12:57:51.869123|\
         2026-11-27 12:57:51.869123|NULL|127.0.0.1|the device"
    );
    assert_eq!(stored_row, expected_row);
}
