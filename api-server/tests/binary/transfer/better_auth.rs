//! Tests the import of users from a database of Better Auth.

use serde_json::json;

use super::fixtures::{CREATE_TABLES, Engine, Fixture, PASSWORD, on_both_engines};
use harness::User;

on_both_engines! {
    users_are_imported_completely_and_log_in_with_their_old_passwords,
    a_second_import_adds_only_new_users,
    a_user_who_deleted_the_account_is_not_imported_again,
    users_of_another_provider_are_imported_without_a_password,
    a_bcrypt_hash_of_another_program_is_imported,
    a_database_of_better_auth_1_7_0_is_imported,
    tables_and_columns_may_have_other_names,
    more_users_than_fit_in_one_batch_are_imported,
    times_are_read_in_every_stored_format,
}

fn users_are_imported_completely_and_log_in_with_their_old_passwords(engine: Engine) {
    let fixture = Fixture::new(engine);
    fixture.add_user("rJ7s0pWb3Qx", "ada@example.com", 4);
    fixture.execute_in_source(
        r#"UPDATE "user" SET image = 'https://a.example/a.png', name = 'Ada ''Countess'' 👑'"#,
    );
    assert_eq!(
        fixture.import(&[]).lines().last(),
        Some("users: 1 imported, 0 already present, 0 rejected")
    );
    let [imported_user] = fixture.exported_users().try_into().unwrap();
    assert_eq!(imported_user["id"], "rJ7s0pWb3Qx");
    assert_eq!(imported_user["email"], "ada@example.com");
    assert_eq!(imported_user["email_verified"], true);
    assert_eq!(imported_user["name"], "Ada 'Countess' 👑");
    assert_eq!(imported_user["image"], "https://a.example/a.png");
    assert_eq!(imported_user["created_at"], "2026-01-02T03:04:05.678000Z");

    let server = fixture.serve();
    server.log_in("ada@example.com", "not it").expect(401);
    let token_response = server.log_in("ADA@example.com", PASSWORD).expect(200);
    assert_eq!(token_response["user"]["id"], "rJ7s0pWb3Qx");
    let user = User::of(&token_response);
    server
        .get("/api/rJ7s0pWb3Qx/tasks", &user.token)
        .expect(200);
    server.log_in("ada@example.com", PASSWORD).expect(200);
    let [rehashed_user] = fixture.exported_users().try_into().unwrap();
    let hash = rehashed_user["password_hash"].as_str().unwrap();
    assert!(hash.starts_with("$2b$04$"), "{hash}");
}

fn a_second_import_adds_only_new_users(engine: Engine) {
    let fixture = Fixture::new(engine);
    fixture.add_user("a", "ada@example.com", 1);
    fixture.import(&[]);
    let server = fixture.serve();
    let token_response = server.log_in("ada@example.com", PASSWORD).expect(200);
    let body = json!({ "current_password": PASSWORD, "new_password": "a newer password" });
    let token = User::of(&token_response).token;
    server
        .post("/api/auth/change-password", &token, &body)
        .expect(200);
    fixture.add_user("b", "bob@example.com", 2);
    let output = fixture.import(&[]);
    assert_eq!(output, "users: 1 imported, 1 already present, 0 rejected\n");
    server
        .log_in("ada@example.com", "a newer password")
        .expect(200);
    server.log_in("ada@example.com", PASSWORD).expect(401);
    server.log_in("bob@example.com", PASSWORD).expect(200);
    assert_eq!(fixture.exported_user_ids(), ["a", "b"]);
}

fn a_user_who_deleted_the_account_is_not_imported_again(engine: Engine) {
    let fixture = Fixture::new(engine);
    fixture.add_user("a", "ada@example.com", 1);
    fixture.add_user("b", "bob@example.com", 2);
    fixture.execute_in_source(&fixture.with_column_types(
        "CREATE TABLE tasks (id integer PRIMARY KEY, user_id text, title text, description text, completed {bool}, \
         created_at {time}, updated_at {time}); \
         INSERT INTO tasks SELECT 1, 'a', 'a task', NULL, \"emailVerified\", \"createdAt\", \"updatedAt\" FROM \"user\" LIMIT 1",
    ));
    fixture.import(&["--tasks", "tasks"]);
    let backup = fixture.export(&[]);
    let server = fixture.serve();
    let token_response = server.log_in("ada@example.com", PASSWORD).expect(200);
    let token = User::of(&token_response).token;
    let body = json!({ "password": PASSWORD });
    let mut connection = server.connect();
    connection
        .request("DELETE", "/api/auth/account", &token, Some(&body))
        .expect(200);
    let output = fixture.import(&["--tasks", "tasks"]);
    assert_eq!(
        output,
        "user \"a\" rejected: its account was deleted here after an earlier import\n\
         task \"1\" rejected: its owner is not among the users here\n\
         users: 0 imported, 1 already present, 1 rejected\n\
         tasks: 0 imported, 0 already present, 1 rejected\n"
    );
    server.log_in("ada@example.com", PASSWORD).expect(401);
    // An operator can still restore the deleted user from an export.
    fixture.work_dir.write("users.jsonl", backup);
    let restore_arguments = ["users", "import", "json", "--from", "users.jsonl"];
    fixture
        .program()
        .args(&restore_arguments)
        .run()
        .assert_succeeded();
    server.log_in("ada@example.com", PASSWORD).expect(200);
}

fn users_of_another_provider_are_imported_without_a_password(engine: Engine) {
    let fixture = Fixture::new(engine);
    fixture.add_user_without_password("a", "ada@example.com", 1);
    fixture.add_account("a", "12345", "google", "");
    fixture.add_user("b", "bob@example.com", 2);
    fixture.add_account("b", "67890", "github", "");
    fixture.add_user("c", "cleo@example.com", 3);
    fixture.execute_in_source(r#"UPDATE "account" SET password = NULL WHERE "userId" = 'c'"#);
    assert_eq!(
        fixture.import(&[]),
        "users: 3 imported (2 without a password), 0 already present, 0 rejected\n"
    );
    let server = fixture.serve();
    server.log_in("bob@example.com", PASSWORD).expect(200);
    for email in ["ada@example.com", "cleo@example.com"] {
        server.log_in(email, PASSWORD).expect(401);
        server.log_in(email, "12345").expect(401);
    }
}

/// Imports the hash of the password `U*U` from the test vectors of `crypt_blowfish`, with `$2b$` instead of `$2a$`.
fn a_bcrypt_hash_of_another_program_is_imported(engine: Engine) {
    let fixture = Fixture::new(engine);
    fixture.add_user_without_password("a", "ada@example.com", 1);
    fixture.add_password(
        "a",
        "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    );
    fixture.import(&[]);
    let server = fixture.serve();
    server.log_in("ada@example.com", "U*U*").expect(401);
    server.log_in("ada@example.com", "U*U").expect(200);
    server.log_in("ada@example.com", "U*U").expect(200);
}

fn a_database_of_better_auth_1_7_0_is_imported(engine: Engine) {
    let fixture = Fixture::new(engine);
    fixture.execute_in_source(
        r#"ALTER TABLE "account" ADD COLUMN issuer text NOT NULL DEFAULT 'local:credential'"#,
    );
    fixture.execute_in_source(r#"CREATE UNIQUE INDEX issuer ON "account" (issuer, "accountId")"#);
    fixture.add_user("a", "ada@example.com", 1);
    fixture.import(&[]);
    fixture.assert_logs_in("ada@example.com");
}

fn tables_and_columns_may_have_other_names(engine: Engine) {
    let fixture = Fixture::without_tables(engine);
    let mut create_statements = fixture.with_column_types(CREATE_TABLES);
    for (default_name, other_name) in [
        ("\"emailVerified\"", "email_verified"),
        ("\"createdAt\"", "created_at"),
        ("\"updatedAt\"", "updated_at"),
        ("\"userId\"", "user_id"),
        ("\"accountId\"", "account_id"),
        ("\"providerId\"", "provider_id"),
        ("\"user\"", "people"),
        ("\"account\"", "\"their-accounts\""),
    ] {
        create_statements = create_statements.replace(default_name, other_name);
    }
    fixture.execute_in_source(&create_statements);
    let true_literal = fixture.true_literal();
    let time = "'2026-01-02T03:04:05.678Z'";
    fixture.execute_in_source(&format!(
        "INSERT INTO people VALUES ('a', 'Ada', 'ada@example.com', {true_literal}, NULL, {time}, {time});
         INSERT INTO \"their-accounts\" (id, account_id, provider_id, user_id, password, created_at, updated_at)
         VALUES ('x', 'a', 'credential', 'a', '{}', {time}, {time});",
        super::fixtures::SCRYPT_HASH
    ));
    let table_arguments = [
        "--user-table",
        "people",
        "--account-table",
        "their-accounts",
    ];
    let outcome = fixture.run_import(&table_arguments);
    outcome.assert_failed(1, &["no column emailVerified", "try --snake-case"]);
    let output = fixture.import(&[&table_arguments[..], &["--snake-case"]].concat());
    assert_eq!(output, "users: 1 imported, 0 already present, 0 rejected\n");
    fixture.assert_logs_in("ada@example.com");
}

fn more_users_than_fit_in_one_batch_are_imported(engine: Engine) {
    let fixture = Fixture::new(engine);
    let true_literal = fixture.true_literal();
    let time = "'2026-01-02T03:04:05.678Z'";
    fixture.execute_in_source(&format!(
        r#"INSERT INTO "user"
           WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1234)
           SELECT 'u' || i, 'N', 'u' || i || '@example.com', {true_literal}, NULL, {time}, {time} FROM n"#
    ));
    assert_eq!(
        fixture.import(&[]).lines().last(),
        Some("users: 1234 imported (1234 without a password), 0 already present, 0 rejected")
    );
    assert_eq!(fixture.exported_user_ids().len(), 1234);
    assert_eq!(
        fixture.import(&[]).lines().last(),
        Some("users: 0 imported, 1234 already present, 0 rejected")
    );
}

/// Imports times in the formats of tables that Prisma, Drizzle or Better Auth's own migration created.
fn times_are_read_in_every_stored_format(engine: Engine) {
    let fixture = Fixture::new(engine);
    fixture.add_user("a", "ada@example.com", 1);
    let stored_times: &[(&str, &str)] = match engine {
        Engine::Postgres => &[
            ("timestamp(3)", "'2026-01-02 03:04:05.678'"),
            ("timestamptz", "'2026-01-02 05:04:05.678+02'"),
            ("text", "'2026-01-02T03:04:05.678Z'"),
            ("bigint", "1767323045678"),
        ],
        Engine::Sqlite => &[
            ("date", "'2026-01-02T03:04:05.678Z'"),
            ("text", "'2026-01-02 03:04:05.678'"),
            ("integer", "1767323045678"),
        ],
    };
    for (number, (column_type, literal)) in stored_times.iter().enumerate() {
        fixture.execute_in_source(&format!(
            r#"DELETE FROM "account"; ALTER TABLE "user" DROP COLUMN "createdAt"; ALTER TABLE "user" ADD COLUMN "createdAt" {column_type};
               UPDATE "user" SET "createdAt" = {literal}, id = 'u{number}', email = 'u{number}@example.com'"#
        ));
        fixture.import(&[]);
        let imported_user = fixture.exported_users().pop().unwrap();
        assert_eq!(imported_user["id"], format!("u{number}"));
        assert_eq!(
            imported_user["created_at"], "2026-01-02T03:04:05.678000Z",
            "{column_type}"
        );
    }
}
