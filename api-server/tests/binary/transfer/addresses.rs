//! Tests `users check` with email addresses that an older release stored, and the import of email addresses.

use super::fixtures::{Engine, Fixture, PASSWORD, on_both_engines};

on_both_engines! {
    a_check_lists_email_addresses_that_the_current_rule_rejects_or_changes,
    a_check_with_fix_changes_only_email_addresses_without_a_conflict,
    a_check_of_valid_email_addresses_reports_no_problem,
    an_import_normalizes_email_addresses_and_reports_invalid_ones,
    a_second_import_finds_users_whose_email_address_is_stored_in_an_older_spelling,
}

/// Creates accounts and stores these email addresses unchanged, as an older release did.
fn fixture_with_emails(engine: Engine, stored_emails: &[&str]) -> Fixture {
    let fixture = Fixture::without_tables(engine);
    let server = fixture.serve();
    for (number, email) in stored_emails.iter().enumerate() {
        let registered_email = format!("user{number}@example.com");
        server.register(&registered_email, PASSWORD);
        let update_statement =
            format!("UPDATE users SET email = '{email}' WHERE email = '{registered_email}'");
        fixture.execute_in_target(&update_statement);
    }
    server.stop();
    fixture
}

/// Runs `users check` and returns the output.
fn check_users(fixture: &Fixture, arguments: &[&str]) -> String {
    let command = [&["users", "check"], arguments].concat();
    fixture
        .program()
        .args(&command)
        .run()
        .assert_succeeded()
        .stdout
}

const STORED_EMAILS: &[&str] = &[
    "ada@example.com",
    "ada@exämple.de",
    "bob@ｅxample.org",
    "bob@example.org",
    "x@evil.com\r\nBcc: v[127.0.0.1]",
    "a..b@example.com",
];

fn a_check_lists_email_addresses_that_the_current_rule_rejects_or_changes(engine: Engine) {
    let fixture = fixture_with_emails(engine, STORED_EMAILS);
    let report = check_users(&fixture, &[]);
    let lines: Vec<_> = report.lines().collect();
    assert_eq!(lines.len(), 5, "{report}");
    for (line, expected_end) in lines.iter().zip([
        r#", "ada@exämple.de": is ada@xn--exmple-cua.de today"#,
        r#", "bob@ｅxample.org": is bob@example.org today, which another account has"#,
        r#", "x@evil.com\r\nBcc: v[127.0.0.1]": must be an email address"#,
        r#", "a..b@example.com": must be an email address"#,
        "4 addresses; --fix respells those that can be",
    ]) {
        assert!(line.ends_with(expected_end), "{line}\n{expected_end}");
    }
    assert_eq!(check_users(&fixture, &[]), report);
}

fn a_check_with_fix_changes_only_email_addresses_without_a_conflict(engine: Engine) {
    let fixture = fixture_with_emails(engine, STORED_EMAILS);
    let first_report = check_users(&fixture, &["--fix"]);
    assert!(
        first_report.contains(": now ada@xn--exmple-cua.de\n"),
        "{first_report}"
    );
    assert!(
        first_report.ends_with("4 addresses, 1 of them respelled\n"),
        "{first_report}"
    );
    let second_report = check_users(&fixture, &["--fix"]);
    assert!(
        second_report.ends_with("3 addresses, 0 of them respelled\n"),
        "{second_report}"
    );
    let server = fixture.serve();
    for email in ["ada@exämple.de", "ada@xn--exmple-cua.de", "bob@example.org"] {
        server.log_in(email, PASSWORD).expect(200);
    }
}

fn a_check_of_valid_email_addresses_reports_no_problem(engine: Engine) {
    let fixture = fixture_with_emails(engine, &["ada@example.com", "ada@localhost"]);
    let report = check_users(&fixture, &[]);
    assert_eq!(report, "every address is as today's rule spells it\n");
}

fn an_import_normalizes_email_addresses_and_reports_invalid_ones(engine: Engine) {
    let fixture = Fixture::new(engine);
    fixture.add_user("u1", "Ada@EXÄMPLE.de", 1);
    fixture.add_user("u2", "ada@xn--exmple-cua.de", 2);
    fixture.add_user("u3", "x@evil.com[127.0.0.1]", 3);
    let report = fixture.import(&[]);
    for expected_line in [
        "user \"u2\" rejected: its email is that of the user \"u1\" here",
        "user \"u3\" rejected: its email must be an email address",
        "users: 1 imported, 0 already present, 2 rejected",
    ] {
        assert!(report.contains(expected_line), "{report}");
    }
    let server = fixture.serve();
    let token_response = server.log_in("ada@exämple.de", PASSWORD).expect(200);
    assert_eq!(token_response["user"]["email"], "ada@xn--exmple-cua.de");
}

fn a_second_import_finds_users_whose_email_address_is_stored_in_an_older_spelling(engine: Engine) {
    let fixture = Fixture::new(engine);
    fixture.add_user("u1", "ada@exämple.de", 1);
    fixture.import(&[]);
    let update_statement = "UPDATE users SET email = 'ada@exämple.de'";
    fixture.execute_in_target(update_statement);
    let report = fixture.import(&[]);
    assert!(
        report.ends_with("users: 0 imported, 1 already present, 0 rejected\n"),
        "{report}"
    );
}
