//! Tests that users whom Better Auth's admin plugin has banned are not imported, because nobody is banned here.

use super::fixtures::{Engine, Fixture, PASSWORD, assert_has_lines, on_both_engines};

on_both_engines! {
    users_who_are_banned_now_are_not_imported,
    a_user_who_was_imported_before_the_ban_is_reported,
    a_lifted_ban_is_no_obstacle,
    a_ban_that_cannot_be_read_is_reported,
    a_ban_needs_no_column_for_its_end,
    the_columns_may_be_in_snake_case,
}

const PAST: &str = "'2026-01-02T03:04:05.678Z'";
const FUTURE: &str = "'9999-01-02T03:04:05.678Z'";

/// Prepares a source whose users `u0`, `u1` … have these values of `banned` (`{true}` or NULL) and `banExpires`, as
/// SQL.
fn fixture_with_bans(engine: Engine, bans: &[(&str, &str)]) -> Fixture {
    let fixture = Fixture::new(engine);
    fixture.execute_in_source(&fixture.with_column_types(
        "ALTER TABLE \"user\" ADD COLUMN banned {bool}; ALTER TABLE \"user\" ADD COLUMN \"banReason\" text; \
         ALTER TABLE \"user\" ADD COLUMN \"banExpires\" {time}",
    ));
    for (number, (banned, end)) in bans.iter().enumerate() {
        let id = format!("u{number}");
        fixture.add_user(&id, &format!("{id}@example.com"), 1);
        set_ban(&fixture, &id, banned, end);
    }
    fixture
}

fn set_ban(fixture: &Fixture, id: &str, banned: &str, end: &str) {
    let banned = match banned {
        "true" => fixture.true_literal().to_owned(),
        "false" => format!("NOT {}", fixture.true_literal()),
        other => other.to_owned(),
    };
    fixture.execute_in_source(&format!(
        "UPDATE \"user\" SET banned = {banned}, \"banReason\" = 'canary', \"banExpires\" = {end} WHERE id = '{id}'"
    ));
}

fn users_who_are_banned_now_are_not_imported(engine: Engine) {
    let bans = [
        ("true", "NULL"),
        ("true", FUTURE),
        ("true", PAST),
        ("false", "NULL"),
        ("false", FUTURE),
        ("NULL", FUTURE),
    ];
    let fixture = fixture_with_bans(engine, &bans);
    let report = fixture.import(&[]);
    assert_eq!(
        report,
        "user \"u0\" rejected: it is banned there\n\
         user \"u1\" rejected: it is banned there until 9999-01-02T03:04:05.678000Z\n\
         users: 4 imported, 0 already present, 2 rejected (2 banned)\n"
    );
    assert_eq!(fixture.exported_user_ids(), ["u2", "u3", "u4", "u5"]);
    let server = fixture.serve();
    server.log_in("u0@example.com", PASSWORD).expect(401);
    server.log_in("u2@example.com", PASSWORD).expect(200);
}

fn a_user_who_was_imported_before_the_ban_is_reported(engine: Engine) {
    let fixture = fixture_with_bans(engine, &[("false", "NULL"), ("false", "NULL")]);
    fixture.import(&[]);
    set_ban(&fixture, "u1", "true", "NULL");
    let report = fixture.import(&[]);
    assert_eq!(
        report,
        "user \"u1\" rejected: it is banned there, but has an account here already\n\
         users: 0 imported, 1 already present, 1 rejected (1 banned)\n"
    );
    assert_eq!(fixture.exported_user_ids(), ["u0", "u1"]);
}

fn a_lifted_ban_is_no_obstacle(engine: Engine) {
    let fixture = fixture_with_bans(engine, &[("true", "NULL")]);
    fixture.import(&[]);
    set_ban(&fixture, "u0", "false", "NULL");
    let report = fixture.import(&[]);
    assert_eq!(report, "users: 1 imported, 0 already present, 0 rejected\n");
    fixture.assert_logs_in("u0@example.com");
}

fn a_ban_that_cannot_be_read_is_reported(engine: Engine) {
    let (banned, end) = match engine {
        Engine::Sqlite => ("'canary'", "'canary'"),
        Engine::Postgres => ("NULL", "'infinity'"),
    };
    let fixture = fixture_with_bans(engine, &[(banned, "NULL"), ("true", end)]);
    let report = fixture.import(&[]);
    let time_line = "user \"u1\" rejected: the time of its ban's end is not in the years 1 to 9999";
    assert_has_lines(&report, &[time_line]);
    if engine == Engine::Sqlite {
        let line = "user \"u0\" rejected: its banned is neither true nor false";
        assert_has_lines(&report, &[line]);
        assert!(fixture.exported_user_ids().is_empty());
    }
    assert!(!report.contains("canary"), "{report}");
}

fn a_ban_needs_no_column_for_its_end(engine: Engine) {
    let fixture = fixture_with_bans(engine, &[("true", PAST)]);
    fixture.execute_in_source("ALTER TABLE \"user\" DROP COLUMN \"banExpires\"");
    let report = fixture.import(&[]);
    assert_has_lines(&report, &["user \"u0\" rejected: it is banned there"]);
}

fn the_columns_may_be_in_snake_case(engine: Engine) {
    let fixture = fixture_with_bans(engine, &[("true", PAST), ("true", FUTURE)]);
    for (camel_case, snake_case) in [
        ("emailVerified", "email_verified"),
        ("createdAt", "created_at"),
        ("updatedAt", "updated_at"),
        ("banExpires", "ban_expires"),
    ] {
        fixture.execute_in_source(&format!(
            "ALTER TABLE \"user\" RENAME COLUMN \"{camel_case}\" TO {snake_case}"
        ));
    }
    for (camel_case, snake_case) in [
        ("userId", "user_id"),
        ("accountId", "account_id"),
        ("providerId", "provider_id"),
    ] {
        fixture.execute_in_source(&format!(
            "ALTER TABLE \"account\" RENAME COLUMN \"{camel_case}\" TO {snake_case}"
        ));
    }
    let report = fixture.import(&["--snake-case"]);
    let summary = "users: 1 imported, 0 already present, 1 rejected (1 banned)";
    assert_has_lines(&report, &[summary]);
    assert_eq!(fixture.exported_user_ids(), ["u0"]);
}
