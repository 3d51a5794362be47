//! Tests `users roles` and `users claims`: the arguments, the output and the exit codes.

use harness::Outcome;

use super::fixtures::{Engine, Fixture, PASSWORD, on_both_engines};

on_both_engines! {
    roles_are_added_and_removed_and_printed_in_alphabetical_order,
    claims_are_set_and_removed_and_printed_as_one_line_of_json,
    the_address_is_normalized_like_that_of_a_login,
    an_address_without_an_account_is_a_failure_that_names_the_argument,
    more_roles_or_claims_than_a_user_can_have_are_a_failure_and_change_nothing,
    a_running_server_rejects_the_earlier_token_and_issues_one_with_the_role,
}

const EMAIL: &str = "ada@example.com";
const REFRESH: &str = "/api/auth/refresh";
const SESSION: &str = "/api/auth/session";

fn run(fixture: &Fixture, arguments: &[&str]) -> Outcome {
    let program = fixture.program().args(&["users"]).args(arguments);
    let outcome = program.run();
    assert!(!outcome.output().contains("hunter2"), "{outcome:?}");
    outcome
}

/// Runs the command, asserts that it succeeds without a message, and returns the output.
#[track_caller]
fn output(fixture: &Fixture, arguments: &[&str]) -> String {
    let outcome = run(fixture, arguments).assert_succeeded();
    assert_eq!(outcome.stderr, "");
    outcome.stdout
}

/// Asserts that the command fails with this exit code and these texts, and prints nothing else.
#[track_caller]
fn assert_fails(fixture: &Fixture, arguments: &[&str], code: i32, texts: &[&str]) {
    let outcome = run(fixture, arguments);
    outcome.assert_failed(code, texts);
    assert_eq!(outcome.stdout, "");
}

fn fixture_with_ada(engine: Engine) -> Fixture {
    let fixture = Fixture::without_tables(engine);
    let server = fixture.serve();
    server.register(EMAIL, PASSWORD);
    server.stop();
    fixture
}

fn roles_are_added_and_removed_and_printed_in_alphabetical_order(engine: Engine) {
    let fixture = fixture_with_ada(engine);
    assert_eq!(output(&fixture, &["roles", EMAIL]), "");
    let add = [
        "roles",
        EMAIL,
        "--add",
        "editor",
        "--add=billing.read",
        "--add",
        "admin",
    ];
    assert_eq!(output(&fixture, &add), "admin\nbilling.read\neditor\n");
    assert_eq!(output(&fixture, &add), "admin\nbilling.read\neditor\n");
    let change = [
        "roles", "--remove", "editor", "--remove", "absent", "--add", "zoo", EMAIL,
    ];
    assert_eq!(output(&fixture, &change), "admin\nbilling.read\nzoo\n");
    assert_eq!(
        output(&fixture, &["roles", EMAIL]),
        "admin\nbilling.read\nzoo\n"
    );
}

fn claims_are_set_and_removed_and_printed_as_one_line_of_json(engine: Engine) {
    let fixture = fixture_with_ada(engine);
    assert_eq!(output(&fixture, &["claims", EMAIL]), "");
    let set = [
        "claims",
        EMAIL,
        "--set",
        "seats=3",
        "--set=plan=pro",
        "--set",
        r#"org={"id":"7"}"#,
    ];
    let expected = "{\"org\":{\"id\":\"7\"},\"plan\":\"pro\",\"seats\":3}\n";
    assert_eq!(output(&fixture, &set), expected);
    let change = [
        "claims",
        EMAIL,
        "--remove",
        "org",
        "--remove",
        "absent",
        "--set",
        "seats=\"3\"",
    ];
    let expected = "{\"plan\":\"pro\",\"seats\":\"3\"}\n";
    assert_eq!(output(&fixture, &change), expected);
    assert_eq!(output(&fixture, &["claims", EMAIL]), expected);
    let remove = ["claims", EMAIL, "--remove", "plan", "--remove", "seats"];
    assert_eq!(output(&fixture, &remove), "");
}

fn the_address_is_normalized_like_that_of_a_login(engine: Engine) {
    let fixture = fixture_with_ada(engine);
    let add = ["roles", "Ada@EXAMPLE.com", "--add", "admin"];
    assert_eq!(output(&fixture, &add), "admin\n");
    assert_eq!(output(&fixture, &["roles", EMAIL]), "admin\n");
}

fn an_address_without_an_account_is_a_failure_that_names_the_argument(engine: Engine) {
    let fixture = fixture_with_ada(engine);
    for arguments in [
        &["roles", "eve@example.com"][..],
        &["roles", "eve@example.com", "--add", "admin"],
        &["claims", "eve@example.com", "--set", "plan=pro"],
    ] {
        let message = "no account has this email address (ADDRESS)";
        assert_fails(&fixture, arguments, 1, &[message]);
    }
}

fn more_roles_or_claims_than_a_user_can_have_are_a_failure_and_change_nothing(engine: Engine) {
    let fixture = fixture_with_ada(engine);
    let names: Vec<String> = (10..42).map(|number| format!("--add=r{number}")).collect();
    let flags = names.iter().map(String::as_str);
    let add_32: Vec<&str> = ["roles", EMAIL].into_iter().chain(flags).collect();
    let roles = output(&fixture, &add_32);
    assert_eq!(roles.lines().count(), 32);
    let texts = ["nothing was changed", "33 roles", "at most 32", "(--add)"];
    assert_fails(&fixture, &["roles", EMAIL, "--add", "another"], 1, &texts);
    assert_eq!(output(&fixture, &["roles", EMAIL]), roles);

    // `{"a":"…"}` has 8 bytes beside the text, and the second claim needs 8 more: `,"b":"x"`.
    let longest = format!("a={}", "x".repeat(1024 - 8));
    let claims = output(&fixture, &["claims", EMAIL, "--set", &longest]);
    assert_eq!(claims.trim_end().len(), 1024);
    let texts = ["nothing was changed", "1024 bytes", "(--set)"];
    assert_fails(&fixture, &["claims", EMAIL, "--set", "b=x"], 1, &texts);
    assert_eq!(output(&fixture, &["claims", EMAIL]), claims);
}

fn a_running_server_rejects_the_earlier_token_and_issues_one_with_the_role(engine: Engine) {
    let fixture = Fixture::without_tables(engine);
    let server = fixture.serve();
    server.register(EMAIL, PASSWORD);
    let grant = server.log_in(EMAIL, PASSWORD).expect(200);
    let token = grant["access_token"].as_str().unwrap();
    server.get(SESSION, token).expect(200);
    let add = ["roles", EMAIL, "--add", "admin"];
    assert_eq!(output(&fixture, &add), "admin\n");

    let start = std::time::Instant::now();
    let response = loop {
        let response = server.get(SESSION, token);
        if response.status != 200 {
            break response;
        }
        assert!(start.elapsed() < harness::TIMEOUT, "the token is valid");
    };
    assert_eq!(response.expect(401)["code"], "TOKEN_STALE");
    let body = serde_json::json!({ "refresh_token": grant["refresh_token"] });
    let grant = server.post(REFRESH, "", &body).expect(200);
    let token = grant["access_token"].as_str().unwrap();
    let session = server.get(SESSION, token).expect(200);
    assert_eq!(session["user"]["roles"], serde_json::json!(["admin"]));
}

/// Each problem is found before the database is opened: no file is created.
#[test]
fn an_unacceptable_argument_is_rejected_by_name_before_the_database_is_opened() {
    let too_long = format!("a={}", "x".repeat(1024 - 8 + 1));
    let fixture = Fixture::without_tables(Engine::Sqlite);
    for (arguments, message) in [
        (&["roles", "ada"][..], "ADDRESS: use an email address"),
        (&["claims", "ada"], "ADDRESS: use an email address"),
        (
            &["roles", EMAIL, "--add", "good", "--add", "Not good"],
            "--add: \"Not good\": a role must have 1 to 64 characters",
        ),
        (
            &["roles", EMAIL, "--add", ""],
            "--add: \"\": a role must have 1 to 64 characters",
        ),
        (
            &["roles", EMAIL, "--remove", "ä"],
            "--remove: \"ä\": a role must have 1 to 64 characters",
        ),
        (
            &["roles", EMAIL, "--remove", "admin", "--add", "admin"],
            "--remove: \"admin\" is to be added and removed",
        ),
        (
            &["claims", EMAIL, "--set", "plan"],
            "--set: \"plan\" has no '='; use NAME=VALUE",
        ),
        (
            &["claims", EMAIL, "--set", "sub=1"],
            "--set: The claim sub is reserved",
        ),
        (
            &["claims", EMAIL, "--set", &too_long],
            "--set: the custom claims must have at most 1024 bytes",
        ),
        (
            &["claims", EMAIL, "--set", "plan=pro", "--remove", "plan"],
            "--remove: \"plan\" is to be set and removed",
        ),
    ] {
        assert_fails(&fixture, arguments, 2, &[message]);
        assert_eq!(fixture.work_dir.names(), [""; 0], "{arguments:?}");
    }
}

#[test]
fn all_problems_of_the_arguments_and_the_settings_are_reported_together() {
    let fixture = Fixture::without_tables(Engine::Sqlite);
    let command = ["users", "roles", "ada", "--add", "A", "--remove", "B"];
    let program = fixture.program().args(&command).set_all(&[
        ("DATABASE_URL", "mysql://ada:hunter2@db.example/auth"),
        ("ACCESS_TOKEN_TTL", "soon"),
        ("AUTH_SECRET", "short"),
    ]);
    let outcome = program.run();
    outcome.assert_failed(
        2,
        &[
            "ADDRESS: ",
            "--add: ",
            "--remove: ",
            "DATABASE_URL: ",
            "ACCESS_TOKEN_TTL: ",
        ],
    );
    // The command needs no secret, so it does not check the secret.
    for text in ["hunter2", "AUTH_SECRET"] {
        assert!(!outcome.output().contains(text), "{}", outcome.output());
    }
}

#[test]
fn missing_and_unknown_arguments_are_rejected_by_name() {
    let fixture = Fixture::without_tables(Engine::Sqlite);
    for (arguments, argument) in [
        (&["roles"][..], "<ADDRESS>"),
        (&["claims"], "<ADDRESS>"),
        (&["roles", EMAIL, "admin"], "'admin'"),
        (&["roles", EMAIL, "--add"], "'--add <ROLE>'"),
        (&["claims", EMAIL, "--remove"], "'--remove <NAME>'"),
        (&["roles", EMAIL, "--set", "plan=pro"], "'--set'"),
        (&["claims", EMAIL, "--add", "admin"], "'--add'"),
    ] {
        assert_fails(&fixture, arguments, 2, &[argument, "--help"]);
        assert_eq!(fixture.work_dir.names(), [""; 0], "{arguments:?}");
    }
}

#[test]
fn a_database_that_cannot_be_opened_is_a_failure_that_names_the_setting() {
    let fixture = Fixture::without_tables(Engine::Sqlite);
    let url = "postgres://ada:hunter2@127.0.0.1:1/auth";
    for command in ["roles", "claims"] {
        let program = fixture.program().set("DATABASE_URL", url);
        let outcome = program.args(&["users", command, EMAIL]).run();
        outcome.assert_failed(1, &["cannot change", "(DATABASE_URL)"]);
        assert!(!outcome.output().contains("hunter2"), "{outcome:?}");
        assert_eq!(outcome.stdout, "");
    }
}

#[test]
fn help_names_every_argument_and_says_when_a_change_takes_effect() {
    let fixture = Fixture::without_tables(Engine::Sqlite);
    for (arguments, texts) in [
        (
            &["--help"][..],
            &[
                "roles",
                "Show the roles of a user",
                "claims",
                "Show the claims",
            ][..],
        ),
        (
            &["roles", "--help"],
            &[
                "users roles [OPTIONS] <ADDRESS>",
                "--add <ROLE>",
                "--remove <ROLE>",
                "1 to 64 characters of a-z, 0-9, '.', '_', ':' and '-'",
                "at most 32",
                "reject the user's earlier access tokens within seconds",
            ],
        ),
        (
            &["claims", "--help"],
            &[
                "users claims [OPTIONS] <ADDRESS>",
                "--set <NAME=VALUE>",
                "--remove <NAME>",
                "seats=3, plan=pro",
                "at most 1024 bytes of JSON",
                "Takes effect like a change of roles",
            ],
        ),
    ] {
        let help = output(&fixture, arguments);
        // Line breaks become spaces, because their positions do not matter.
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for text in texts {
            assert!(help.contains(text), "{text:?} is missing: {help}");
        }
    }
    assert_eq!(fixture.work_dir.names(), [""; 0]);
}
