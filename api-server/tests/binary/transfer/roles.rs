//! Tests that the roles and the custom claims move with a user.

use serde_json::{Value, json};

use super::fixtures::{Engine, Fixture, PASSWORD, assert_has_lines, on_both_engines};

on_both_engines! {
    roles_and_claims_are_the_same_after_an_export_and_an_import,
    an_export_of_an_earlier_release_has_no_roles,
    roles_and_claims_that_the_commands_refuse_are_reported,
    roles_and_claims_of_the_wrong_type_are_named,
    the_roles_of_a_present_user_do_not_change,
    roles_are_imported_from_better_auth,
    roles_of_better_auth_that_are_not_acceptable_are_reported,
}

fn user_with(id: &str, changes: &Value) -> Value {
    let mut user = json!({
        "id": id, "email": format!("{id}@example.com"), "name": null, "image": null, "email_verified": false,
        "language": null, "roles": [], "claims": {}, "password_hash": super::fixtures::SCRYPT_HASH,
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
    let lines = lines.collect::<String>();
    fixture.work_dir.write("users.jsonl", lines);
    let command = ["users", "import", "json", "--from", "users.jsonl"];
    let program = fixture.program().set("RUST_LOG", "warn");
    program.args(&command).run().assert_succeeded().stderr
}

fn exported(fixture: &Fixture, field: &str) -> Vec<Value> {
    let users = fixture.exported_users().into_iter();
    users.map(|user| user[field].clone()).collect()
}

/// Returns this many names of roles, in alphabetical order.
fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("r{number:02}")).collect()
}

/// Returns claims whose JSON text has this many bytes.
fn claims_of(bytes: usize) -> Value {
    json!({ "a": "x".repeat(bytes - r#"{"a":""}"#.len()) })
}

/// Returns claims that are nested this deep, including the object itself.
fn nested(depth: usize) -> Value {
    let array = (1..depth).fold(Value::Null, |value, _| json!([value]));
    json!({ "a": array })
}

fn roles_and_claims_are_the_same_after_an_export_and_an_import(engine: Engine) {
    let users = [
        user_with(
            "a",
            &json!({ "roles": ["admin", "editor"], "claims": { "plan": "pro", "seats": 3 } }),
        ),
        user_with(
            "b",
            &json!({ "roles": names(32), "claims": claims_of(1024) }),
        ),
        user_with(
            "c",
            &json!({ "roles": ["r".repeat(64)], "claims": nested(16) }),
        ),
        user_with("d", &json!({})),
    ];
    let (source, target) = (
        Fixture::without_tables(engine),
        Fixture::without_tables(engine),
    );
    let report = import(&source, &users);
    assert_eq!(report, "users: 4 imported, 0 already present, 0 rejected\n");
    assert_eq!(source.exported_users(), users);
    import(&target, &source.exported_users());
    assert_eq!(target.exported_users(), users);
    let server = target.serve();
    let grant = server.log_in("a@example.com", PASSWORD).expect(200);
    assert_eq!(grant["user"]["roles"], users[0]["roles"]);
    let token = grant["access_token"].as_str().unwrap();
    let session = server.get("/api/auth/session", token).expect(200);
    assert_eq!(session["user"]["claims"], users[0]["claims"]);
}

fn an_export_of_an_earlier_release_has_no_roles(engine: Engine) {
    let fixture = Fixture::without_tables(engine);
    let mut user = user_with("a", &json!({}));
    for name in ["roles", "claims"] {
        user.as_object_mut().unwrap().remove(name);
    }
    let null = user_with("b", &json!({ "roles": null, "claims": null }));
    let report = import(&fixture, &[user, null]);
    assert_eq!(report, "users: 2 imported, 0 already present, 0 rejected\n");
    assert_eq!(exported(&fixture, "roles"), [json!([]), json!([])]);
    assert_eq!(exported(&fixture, "claims"), [json!({}), json!({})]);
}

fn roles_and_claims_that_the_commands_refuse_are_reported(engine: Engine) {
    let fixture = Fixture::without_tables(engine);
    let users = [
        user_with("many", &json!({ "roles": names(33) })),
        user_with("long", &json!({ "roles": ["r".repeat(65)] })),
        user_with("twice", &json!({ "roles": ["admin", "editor", "admin"] })),
        user_with("upper", &json!({ "roles": ["Admin"] })),
        user_with("empty", &json!({ "roles": [""] })),
        user_with("spaces", &json!({ "roles": ["admin editor"] })),
        user_with("sub", &json!({ "claims": { "sub": "43" } })),
        user_with(
            "shadow",
            &json!({ "claims": { "plan": "pro", "roles": ["admin"] } }),
        ),
        user_with("deep", &json!({ "claims": nested(17) })),
        user_with("deeper", &json!({ "claims": nested(100) })),
        user_with("large", &json!({ "claims": claims_of(1025) })),
        user_with("good", &json!({ "roles": ["b", "a"] })),
    ];
    let report = import(&fixture, &users);
    let name_rule = "its roles are not acceptable: a role must have 1 to 64 characters of a-z, 0-9, '.', '_', ':' and '-'";
    let depth_rule =
        "its claims are not acceptable: the custom claims must not be nested more than 16 deep";
    let expected = [
        (
            "many",
            "its roles are not acceptable: there must be at most 32 roles",
        ),
        ("long", name_rule),
        (
            "twice",
            "its roles are not acceptable: a role must not occur twice",
        ),
        ("upper", name_rule),
        ("empty", name_rule),
        ("spaces", name_rule),
        (
            "sub",
            "its claims are not acceptable: The claim sub is reserved",
        ),
        (
            "shadow",
            "its claims are not acceptable: The claim roles is reserved",
        ),
        ("deep", depth_rule),
        ("deeper", depth_rule),
        (
            "large",
            "its claims are not acceptable: the custom claims must have at most 1024 bytes of JSON",
        ),
    ];
    for (id, reason) in expected {
        assert_has_lines(&report, &[&format!("user {id:?} rejected: {reason}")]);
    }
    assert_has_lines(
        &report,
        &["users: 1 imported, 0 already present, 11 rejected"],
    );
    assert_eq!(exported(&fixture, "roles"), [json!(["a", "b"])]);
}

fn roles_and_claims_of_the_wrong_type_are_named(engine: Engine) {
    let fixture = Fixture::without_tables(engine);
    let users = [
        user_with("canary", &json!({ "roles": "canary" })),
        user_with("canary", &json!({ "roles": [1] })),
        user_with("canary", &json!({ "claims": ["canary"] })),
        user_with("canary", &json!({ "claims": "canary" })),
    ];
    let report = import(&fixture, &users);
    // The columns depend on the lengths of the values before the field.
    let lines = report
        .lines()
        .map(|line| line.split(" (column ").next().unwrap());
    let expected = [
        "line 1 rejected: its user.roles must be an array",
        "line 2 rejected: its user.roles[0] must be a string",
        "line 3 rejected: its user.claims must be an object",
        "line 4 rejected: its user.claims must be an object",
    ];
    assert_has_lines(&lines.collect::<Vec<_>>().join("\n"), &expected);
    assert!(!report.contains("canary"), "{report}");
}

fn the_roles_of_a_present_user_do_not_change(engine: Engine) {
    let fixture = Fixture::without_tables(engine);
    import(&fixture, &[user_with("a", &json!({ "roles": ["editor"] }))]);
    let changed = user_with(
        "a",
        &json!({ "roles": ["admin"], "claims": { "plan": "pro" } }),
    );
    let report = import(&fixture, &[changed]);
    assert_eq!(report, "users: 0 imported, 1 already present, 0 rejected\n");
    assert_eq!(exported(&fixture, "roles"), [json!(["editor"])]);
    assert_eq!(exported(&fixture, "claims"), [json!({})]);
}

/// Prepares a source whose users have these values of the column `role`, as SQL.
fn fixture_with_roles(engine: Engine, roles: &[&str]) -> Fixture {
    let fixture = Fixture::new(engine);
    fixture.execute_in_source("ALTER TABLE \"user\" ADD COLUMN role text");
    for (number, role) in roles.iter().enumerate() {
        let id = format!("u{number}");
        fixture.add_user(&id, &format!("{id}@example.com"), 1);
        fixture.execute_in_source(&format!(
            "UPDATE \"user\" SET role = {role} WHERE id = '{id}'"
        ));
    }
    fixture
}

fn roles_are_imported_from_better_auth(engine: Engine) {
    let fixture = fixture_with_roles(engine, &["'user'", "'user,admin'", "NULL", "''"]);
    let report = fixture.import(&[]);
    assert_eq!(report, "users: 4 imported, 0 already present, 0 rejected\n");
    let expected = [
        json!(["user"]),
        json!(["admin", "user"]),
        json!([]),
        json!([]),
    ];
    assert_eq!(exported(&fixture, "roles"), expected);
    let server = fixture.serve();
    let grant = server.log_in("u1@example.com", PASSWORD).expect(200);
    assert_eq!(grant["user"]["roles"], json!(["admin", "user"]));
}

fn roles_of_better_auth_that_are_not_acceptable_are_reported(engine: Engine) {
    let too_long = format!("'{}'", "r".repeat(2081));
    let many = format!("'{}'", names(33).join(","));
    let roles = [
        "'Admin'",
        "'admin,'",
        "'admin, user'",
        "'a,a'",
        &many,
        &too_long,
        "'good'",
    ];
    let fixture = fixture_with_roles(engine, &roles);
    let report = fixture.import(&[]);
    let name_rule = "its roles are not acceptable: a role must have 1 to 64 characters of a-z, 0-9, '.', '_', ':' and '-'";
    let reasons = [
        name_rule,
        name_rule,
        name_rule,
        "its roles are not acceptable: a role must not occur twice",
        "its roles are not acceptable: there must be at most 32 roles",
        "its role is too long",
    ];
    for (number, reason) in reasons.iter().enumerate() {
        assert_has_lines(
            &report,
            &[&format!("user \"u{number}\" rejected: {reason}")],
        );
    }
    assert_eq!(exported(&fixture, "roles"), [json!(["good"])]);
}
