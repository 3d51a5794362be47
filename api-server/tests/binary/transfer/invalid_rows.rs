//! Tests that each row that cannot be imported is reported, and that all other rows are imported.

use super::fixtures::{Engine, Fixture, PASSWORD, SCRYPT_HASH, on_both_engines};

on_both_engines! {
    every_row_that_cannot_be_imported_is_reported_with_the_reason,
    a_user_with_the_id_of_another_user_is_rejected,
    a_user_with_the_email_address_of_another_user_is_rejected,
}

/// Each entry has the id of a user, a statement that makes the user invalid (empty if the id is invalid), and a part of
/// the reason that must be reported. In a statement, a number in braces stands for a text of this length, and `{year}`
/// stands for a time in a year of five digits.
const INVALID_USERS: &[(&str, &str, &str)] = &[
    (
        "case",
        "UPDATE \"user\" SET email = 'Good@Example.com' WHERE id = 'case'",
        "its email is that of the user \"good\" here",
    ),
    (
        "address",
        "UPDATE \"user\" SET email = 'nobody' WHERE id = 'address'",
        "its email must be an email address",
    ),
    (
        "address-long",
        "UPDATE \"user\" SET email = '{300}@example.com' WHERE id = 'address-long'",
        "its email is too long",
    ),
    (
        "name-long",
        "UPDATE \"user\" SET name = '{201}' WHERE id = 'name-long'",
        "its name must be at most 200 characters",
    ),
    (
        "name-huge",
        "UPDATE \"user\" SET name = '{9999}' WHERE id = 'name-huge'",
        "its name is too long",
    ),
    (
        "image-long",
        "UPDATE \"user\" SET image = '{2049}' WHERE id = 'image-long'",
        "its image must be at most 2048 characters",
    ),
    (
        "hash",
        "UPDATE account SET password = '$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW' WHERE \"userId\" = 'hash'",
        "its password hash is neither bcrypt of cost 4 to 15 nor Better Auth",
    ),
    (
        "hash-argon2",
        "UPDATE account SET password = '$argon2id$v=19$m=4194304,t=999,p=1$c2FsdA$a2V5' WHERE \"userId\" = 'hash-argon2'",
        "its password hash is neither",
    ),
    (
        "hash-long",
        "UPDATE account SET password = '{9999}' WHERE \"userId\" = 'hash-long'",
        "its password hash is too long",
    ),
    (
        "hash-empty",
        "UPDATE account SET password = '' WHERE \"userId\" = 'hash-empty'",
        "its password hash is neither",
    ),
    (
        "other-account",
        "UPDATE account SET \"accountId\" = 'good' WHERE \"userId\" = 'other-account'",
        "an accountId that is not its id",
    ),
    (
        "two-accounts",
        "UPDATE account SET \"userId\" = 'two-accounts' WHERE \"userId\" = 'victim'",
        "it has 2 credential accounts",
    ),
    (
        "year",
        "UPDATE \"user\" SET \"createdAt\" = '{year}' WHERE id = 'year'",
        "the time of its creation is not in the years",
    ),
    ("  id ", "", "its id has white space around it"),
    ("tab\tid", "", "its id has a control character"),
];

fn every_row_that_cannot_be_imported_is_reported_with_the_reason(engine: Engine) {
    let fixture = Fixture::new(engine);
    fixture.add_user("good", "good@example.com", 0);
    fixture.add_user_without_password("victim", "victim@example.com", 1);
    fixture.add_account("victim", "victim", "credential", SCRYPT_HASH);
    let time_with_long_year = if engine == Engine::Postgres {
        "12026-01-01T00:00:00Z"
    } else {
        "99999-12-31"
    };
    for (number, (id, template, _)) in INVALID_USERS.iter().enumerate() {
        fixture.add_user(id, &format!("u{number}@example.com"), 2);
        let mut statement = template.replace("{year}", time_with_long_year);
        for length in [201, 300, 2049, 9999] {
            statement = statement.replace(&format!("{{{length}}}"), &"x".repeat(length));
        }
        if !statement.is_empty() {
            fixture.execute_in_source(&statement);
        }
    }
    let mut rejection_count = INVALID_USERS.len();
    if engine == Engine::Sqlite {
        rejection_count += insert_rows_that_only_sqlite_can_store(&fixture);
    }
    fixture.add_user("last", "last@example.com", 59);
    let output = fixture.import(&[]);
    for (id, _, reason) in INVALID_USERS {
        let found_line = output
            .lines()
            .find(|line| line.starts_with(&format!("user {id:?} rejected: ")));
        let line = found_line.unwrap_or_else(|| panic!("{id:?} is not in\n{output}"));
        assert!(line.contains(reason), "{line}");
    }
    let summary = format!(
        "users: 3 imported (1 without a password), 0 already present, {rejection_count} rejected"
    );
    assert_eq!(output.lines().last(), Some(summary.as_str()), "{output}");
    assert_eq!(output.lines().count(), rejection_count + 1, "{output}");
    assert_eq!(fixture.exported_user_ids(), ["good", "last", "victim"]);
    fixture.assert_logs_in("last@example.com");
}

/// Inserts rows with values that PostgreSQL cannot store. Returns the number of rows.
fn insert_rows_that_only_sqlite_can_store(fixture: &Fixture) -> usize {
    let rows = [
        "'n1', 'a' || char(0) || 'b', 'n1@example.com', 1, NULL, '2026-01-01', '2026-01-01'",
        "'n2', CAST(x'ff' AS TEXT), 'n2@example.com', 1, NULL, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'",
        "'n3' || char(0), 'N', 'n3@example.com', 1, NULL, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'",
        "'n4', 'N', 'n4@example.com', 7, NULL, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'",
        "NULL, 'N', 'n5@example.com', 1, NULL, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'",
        "x'00ff', 'N', 'n6@example.com', 1, NULL, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'",
        "zeroblob(5000000), zeroblob(5000000), 'n7@example.com', 1, NULL, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'",
        "'n8', 'N', 'n8@example.com', 1, NULL, 'NaN', '2026-01-01T00:00:00Z'",
        "'n9', 'a' || char(0) || 'b', 'n9@example.com', 1, NULL, 1767323045, 1767323045.5",
    ];
    for values in rows {
        fixture.execute_in_source(&format!("INSERT INTO \"user\" VALUES ({values})"));
    }
    rows.len()
}

fn a_user_with_the_id_of_another_user_is_rejected(engine: Engine) {
    let fixture = Fixture::new(engine);
    fixture.add_user("1", "ada@example.com", 1);
    fixture.import(&[]);
    fixture.execute_in_source(r#"UPDATE "user" SET email = 'eve@example.com'"#);
    let output = fixture.import(&[]);
    assert!(
        output.contains("user \"1\" rejected: its id is that of a user with another email here"),
        "{output}"
    );
    let [user] = fixture.exported_users().try_into().unwrap();
    assert_eq!(user["email"], "ada@example.com");
}

fn a_user_with_the_email_address_of_another_user_is_rejected(engine: Engine) {
    let fixture = Fixture::new(engine);
    let server = fixture.serve();
    server.register("ada@example.com", "my own password");
    fixture.add_user("a", "ada@example.com", 1);
    let output = fixture.import(&[]);
    assert!(
        output.contains("user \"a\" rejected: its email is that of the user "),
        "{output}"
    );
    server.log_in("ada@example.com", PASSWORD).expect(401);
    server
        .log_in("ada@example.com", "my own password")
        .expect(200);
}
