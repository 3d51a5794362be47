//! Tests that all invalid settings are reported at once, and that a command ignores settings that it does not need.

use harness::WorkDir;

use super::{error_lines, run};

#[test]
fn a_command_is_rejected_only_for_settings_that_it_needs() {
    let work_dir = WorkDir::new();
    let invalid_settings = [
        ("AUTH_SECRET", "short"),
        ("BIND_ADDR", "nowhere"),
        ("BCRYPT_COST", "99"),
    ];
    for arguments in [&["migrate"][..], &["openapi"], &["keys", "generate"]] {
        work_dir
            .program()
            .set_all(&invalid_settings)
            .args(arguments)
            .run()
            .assert_succeeded();
    }
    for (variable, value) in [
        ("DATABASE_URL", "x"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "a=b=c"),
    ] {
        let outcome = work_dir
            .program()
            .set(variable, value)
            .args(&["migrate"])
            .run();
        let lines = error_lines(&outcome);
        assert!(
            lines.len() == 1 && lines[0].starts_with(variable),
            "{lines:?}"
        );
    }
}

#[test]
fn all_invalid_settings_are_reported_together() {
    let invalid_settings = [
        ("BIND_ADDR", "nowhere"),
        ("DATABASE_URL", "mysql://ada:hunter2@db"),
        ("DATABASE_POOL_SIZE", "0"),
        ("AUTH_SECRET", "hunter2"),
        ("AUTH_SECRETS_PREVIOUS", "hunter2"),
        ("AUTH_ISSUER", ""),
        ("AUTH_AUDIENCE", ""),
        ("ACCESS_TOKEN_TTL", "0s"),
        ("SESSION_TTL", "401d"),
        ("SESSION_MAX_TTL", "401d"),
        ("BCRYPT_COST", "3"),
        ("ALLOW_WEAK_HASHING", "perhaps"),
        ("PUBLIC_URL", "ftp://hunter2"),
        ("ALLOWED_ORIGINS", "*"),
        ("MAX_MAIL_REQUESTS_PER_NETWORK", "many"),
        ("EMAIL_VERIFICATION", "perhaps"),
        ("SMTP_URL", "smtps://ada:hunter2@mx.example/x"),
        ("MAIL_FROM", "hunter2"),
        ("MAIL_REPLY_TO", "hunter2"),
        ("MAIL_TEMPLATES", "/no/such/folder"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "a=b=c"),
    ];
    let outcome = run(&invalid_settings);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    let lines = error_lines(&outcome);
    let mut named_variables: Vec<_> = lines
        .iter()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    let mut expected_variables = invalid_settings.map(|(variable, _)| variable);
    named_variables.sort_unstable();
    expected_variables.sort_unstable();
    assert_eq!(named_variables, expected_variables);
}
