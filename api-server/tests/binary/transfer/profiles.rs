//! Tests that it moves with a user whether the email address is verified, and in which language the user's mails are.

use serde_json::{Value, json};

use super::fixtures::{
    CREATE_TABLES, Engine, Fixture, PASSWORD, SCRYPT_HASH, assert_has_lines, on_both_engines,
};

on_both_engines! {
    verification_and_language_are_the_same_after_an_export_and_an_import,
    an_export_of_an_earlier_release_has_no_language,
    each_field_of_the_wrong_type_is_named,
    a_line_that_has_a_field_twice_is_rejected,
    verification_is_imported_from_better_auth,
    a_verification_that_is_neither_true_nor_false_is_rejected,
}

fn user_with(id: &str, changes: &Value) -> Value {
    let mut user = json!({
        "id": id, "email": format!("{id}@example.com"), "name": null, "image": null, "email_verified": false,
        "language": null, "roles": [], "claims": {}, "password_hash": SCRYPT_HASH,
        "created_at": "2026-01-02T03:04:05.000000Z", "updated_at": "2026-01-02T03:04:05.000000Z",
    });
    for (name, value) in changes.as_object().unwrap() {
        user[name] = value.clone();
    }
    user
}

/// Imports the users, and returns the report.
fn import(fixture: &Fixture, users: &[Value]) -> String {
    let lines = users.iter().map(|user| format!("{{\"user\":{user}}}\n"));
    import_lines(fixture, &lines.collect::<String>())
}

fn import_lines(fixture: &Fixture, lines: &str) -> String {
    fixture.work_dir.write("users.jsonl", lines);
    let command = ["users", "import", "json", "--from", "users.jsonl"];
    let program = fixture.program().set("RUST_LOG", "warn");
    program.args(&command).run().assert_succeeded().stderr
}

fn verification_and_language_are_the_same_after_an_export_and_an_import(engine: Engine) {
    let users = [
        user_with("a", &json!({ "email_verified": true, "language": "de" })),
        user_with("b", &json!({ "email_verified": false, "language": "en" })),
        user_with("c", &json!({ "email_verified": true, "language": null })),
    ];
    let (source, target) = (
        Fixture::without_tables(engine),
        Fixture::without_tables(engine),
    );
    let report = import(&source, &users);
    assert_eq!(report, "users: 3 imported, 0 already present, 0 rejected\n");
    let exported_lines = source.export(&[]);
    assert_eq!(source.exported_users(), users);
    import_lines(&target, &exported_lines);
    assert_eq!(target.export(&[]), exported_lines);
    let server = target.serve();
    for user in users {
        let email = user["email"].as_str().unwrap();
        let grant = server.log_in(email, PASSWORD).expect(200);
        for name in ["email_verified", "language"] {
            assert_eq!(grant["user"][name], user[name], "{user}");
        }
    }
}

fn an_export_of_an_earlier_release_has_no_language(engine: Engine) {
    let fixture = Fixture::without_tables(engine);
    let mut user = user_with("a", &json!({ "email_verified": true }));
    user.as_object_mut().unwrap().remove("language");
    let report = import(&fixture, &[user]);
    assert_eq!(report, "users: 1 imported, 0 already present, 0 rejected\n");
    let [imported_user] = fixture.exported_users().try_into().unwrap();
    assert_eq!(imported_user["language"], Value::Null);
    assert_eq!(imported_user["email_verified"], true);
}

fn each_field_of_the_wrong_type_is_named(engine: Engine) {
    let fixture = Fixture::without_tables(engine);
    let wrong_type = |changes: Value| user_with("canary", &changes);
    let mut without_verification = user_with("canary", &json!({}));
    without_verification
        .as_object_mut()
        .unwrap()
        .remove("email_verified");
    let users = [
        wrong_type(json!({ "email_verified": "true" })),
        wrong_type(json!({ "email_verified": 1 })),
        wrong_type(json!({ "email_verified": null })),
        without_verification,
        wrong_type(json!({ "language": true })),
        wrong_type(json!({ "email": "canary, expected canary", "name": ["canary"] })),
        json!("canary"),
        user_with("fr", &json!({ "language": "fr" })),
        user_with("de-AT", &json!({ "language": "de-AT" })),
        user_with("empty", &json!({ "language": "" })),
        user_with("good", &json!({ "language": "de" })),
    ];
    let report = import(&fixture, &users);
    // The columns depend on the lengths of the values before the field.
    let lines_without_column: Vec<_> = report
        .lines()
        .map(|line| line.split(" (column ").next().unwrap())
        .collect();
    let expected_lines = [
        "line 1 rejected: its user.email_verified must be a boolean",
        "line 2 rejected: its user.email_verified must be a boolean",
        "line 3 rejected: its user.email_verified must be a boolean",
        "line 4 rejected: its user lacks email_verified",
        "line 5 rejected: its user.language must be a string",
        "line 6 rejected: its user.name must be a string",
        "line 7 rejected: its user must be an object",
        "user \"fr\" rejected: its language must be en or de",
        "user \"de-AT\" rejected: its language must be en or de",
        "user \"empty\" rejected: its language must be en or de",
        "users: 1 imported, 0 already present, 3 rejected",
        "lines: 7 rejected",
    ];
    assert_has_lines(&lines_without_column.join("\n"), &expected_lines);
    assert!(!report.contains("canary"), "{report}");
    assert_eq!(fixture.exported_user_ids(), ["good"]);
}

fn a_line_that_has_a_field_twice_is_rejected(engine: Engine) {
    let fixture = Fixture::without_tables(engine);
    let user = user_with("good", &json!({})).to_string();
    let twice = user.replacen('{', "{\"email_verified\":true,", 1);
    let report = import_lines(&fixture, &format!("{{\"user\":{twice}}}\n"));
    let expected = "line 1 rejected: its user has email_verified twice (column ";
    assert!(report.starts_with(expected), "{report}");
    assert_eq!(fixture.exported_users(), [json!(null); 0]);
}

fn verification_is_imported_from_better_auth(engine: Engine) {
    let fixture = Fixture::new(engine);
    fixture.add_user("a", "ada@example.com", 1);
    fixture.add_user("b", "bob@example.com", 2);
    let is_true = fixture.true_literal();
    fixture.execute_in_source(&format!(
        r#"UPDATE "user" SET "emailVerified" = NOT {is_true} WHERE id = 'b'"#
    ));
    fixture.import(&[]);
    let verified: Vec<_> = fixture
        .exported_users()
        .iter()
        .map(|user| (user["id"].clone(), user["email_verified"].clone()))
        .collect();
    assert_eq!(
        verified,
        [(json!("a"), json!(true)), (json!("b"), json!(false))]
    );
    let server = fixture.serve();
    let grant = server.log_in("bob@example.com", PASSWORD).expect(200);
    assert_eq!(grant["user"]["email_verified"], false);
    assert_eq!(grant["user"]["language"], Value::Null);
}

fn a_verification_that_is_neither_true_nor_false_is_rejected(engine: Engine) {
    let fixture = Fixture::without_tables(engine);
    let tables = CREATE_TABLES.replace(
        "\"emailVerified\" {bool} NOT NULL",
        "\"emailVerified\" text",
    );
    fixture.execute_in_source(&fixture.with_column_types(&tables));
    for (number, value) in ["'yes'", "''", "'TRUE'", "'2'", "NULL", "'true'", "'0'"]
        .iter()
        .enumerate()
    {
        fixture.execute_in_source(&format!(
            r#"INSERT INTO "user" VALUES ('u{number}', 'Ada', 'u{number}@example.com', {value}, NULL,
               '2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z')"#
        ));
    }
    let report = fixture.import(&[]);
    let expected_lines = [
        "user \"u0\" rejected: its emailVerified is neither true nor false",
        "user \"u1\" rejected: its emailVerified is neither true nor false",
        "user \"u2\" rejected: its emailVerified is neither true nor false",
        "user \"u3\" rejected: its emailVerified is neither true nor false",
        "user \"u4\" rejected: its emailVerified is NULL",
        "users: 2 imported (2 without a password), 0 already present, 5 rejected",
    ];
    assert_has_lines(&report, &expected_lines);
    let users = fixture.exported_users();
    assert_eq!(users[0]["email_verified"], true);
    assert_eq!(users[1]["email_verified"], false);
}
