//! Tests that the error for an invalid setting names the variable and the remedy, that no server starts, and that
//! no secret is printed.

mod all_at_once;
mod database;
mod key_files;
mod limits;
mod mail;
mod network;
mod secrets;

use std::time::Duration;

use harness::{Outcome, WorkDir};

/// The longest time until a failed start ends, except if the program waits for a database that does not respond.
const MAX_FAILED_START_TIME: Duration = Duration::from_secs(10);
/// The last line that the program prints if a setting is invalid.
const LAST_ERROR_LINE: &str = "Nothing was started. See api-server --help for every setting.";

type Settings<'a> = &'a [(&'a str, &'a str)];

/// Runs the program with these settings. Asserts that standard output stays empty and that no file is created.
fn run(settings: Settings<'_>) -> Outcome {
    let work_dir = WorkDir::new();
    let outcome = work_dir.program().set_all(settings).run();
    assert_eq!(outcome.stdout, "", "{settings:?}");
    assert_eq!(
        work_dir.names(),
        [""; 0],
        "{settings:?}: a file was created"
    );
    outcome
}

/// Asserts that the program failed quickly, with exit code 2. Returns the lines of standard error except
/// [`LAST_ERROR_LINE`].
fn error_lines(outcome: &Outcome) -> Vec<&str> {
    assert_eq!(outcome.code, Some(2), "{}", outcome.output());
    assert!(
        outcome.duration < MAX_FAILED_START_TIME,
        "took {:?}",
        outcome.duration
    );
    let mut lines: Vec<_> = outcome.stderr.lines().collect();
    assert_eq!(lines.pop(), Some(LAST_ERROR_LINE), "{}", outcome.stderr);
    lines
}

/// Asserts that the program prints exactly one error for these settings. The error names `variable` and contains
/// `message_part`.
fn assert_rejected(settings: Settings<'_>, variable: &str, message_part: &str) {
    let outcome = run(settings);
    let lines = error_lines(&outcome);
    assert_eq!(lines.len(), 1, "{settings:?}: {lines:?}");
    let rest_of_line = lines[0].strip_prefix(variable);
    let message = rest_of_line.and_then(|rest| rest.strip_prefix(": "));
    assert!(
        message.is_some_and(|message| message.contains(message_part)),
        "{settings:?}: {lines:?}"
    );
}

fn assert_each_rejected(variable: &str, values: &[&str], message_part: &str) {
    for value in values {
        assert_rejected(&[(variable, value)], variable, message_part);
    }
}

fn assert_starts(settings: Settings<'_>) {
    WorkDir::new().program().set_all(settings).start();
}
