//! Tests that SIGHUP reloads the secrets and no other setting.

use auth_core::{Keyring, Secret};
use rustix::process::Signal;

use harness::{OTHER_SECRET, SECRET, Server, User, WorkDir};

const PASSWORD: &str = "correct horse battery staple";
/// The start of the message that is logged if a SIGHUP cannot replace the secrets.
const SECRETS_UNCHANGED: &str = "SIGHUP: the secrets and keys stay as they were: ";

fn dotenv_text(current_secret: &str, previous_secret: &str) -> String {
    format!("AUTH_SECRET='{current_secret}'\nAUTH_SECRETS_PREVIOUS='{previous_secret}'\n")
}

/// Returns the key ids of these secrets, in the format of the log.
fn key_ids(current_secret: &str, previous_secrets: &[&str]) -> String {
    let parse_secret = |text: &str| Secret::new(text).unwrap();
    let parsed_previous_secrets = previous_secrets.iter().map(|text| parse_secret(text));
    format!(
        "{:?}",
        Keyring::new(parse_secret(current_secret)).with_previous(parsed_previous_secrets)
    )
}

/// Sends SIGHUP, and waits until the log has a line that contains `expected_part`. Returns the first such line.
fn send_hangup(server: &Server, expected_part: &str) -> String {
    server.signal(Signal::HUP);
    server.log.line(expected_part)
}

fn log_in(server: &Server) -> User {
    User::of(&server.log_in("ada@example.com", PASSWORD).expect(200))
}

fn accepts(server: &Server, user: &User) -> bool {
    let response = server.get("/api/auth/session", &user.token);
    assert!(matches!(response.status, 200 | 401), "{}", response.body);
    response.status == 200
}

#[test]
fn a_secret_is_replaced_step_by_step_without_a_restart() {
    let work_dir = WorkDir::new();
    work_dir.write(".env", dotenv_text(SECRET, ""));
    let server = work_dir.quick_server();
    let old_login = server.register("ada@example.com", PASSWORD);

    work_dir.write(".env", dotenv_text(SECRET, OTHER_SECRET));
    send_hangup(&server, &key_ids(SECRET, &[OTHER_SECRET]));
    work_dir.write(".env", dotenv_text(OTHER_SECRET, SECRET));
    send_hangup(&server, &key_ids(OTHER_SECRET, &[SECRET]));
    let new_login = log_in(&server);
    assert!(accepts(&server, &old_login) && accepts(&server, &new_login));

    work_dir.write(".env", dotenv_text(OTHER_SECRET, ""));
    send_hangup(&server, &key_ids(OTHER_SECRET, &[]));
    assert!(!accepts(&server, &old_login) && accepts(&server, &new_login));
    let log = server.stop().text();
    for secret in [SECRET, OTHER_SECRET] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn invalid_secrets_change_nothing() {
    let work_dir = WorkDir::new();
    work_dir.write(".env", dotenv_text(SECRET, ""));
    let server = work_dir.quick_server();
    let user = server.register("ada@example.com", PASSWORD);
    for (dotenv, reason) in [
        (
            dotenv_text("hunter2", ""),
            "AUTH_SECRET: the secret is shorter",
        ),
        (
            dotenv_text(OTHER_SECRET, "hunter2"),
            "AUTH_SECRETS_PREVIOUS: ",
        ),
        ("AUTH_SECRET=hunter2 hunter2".to_owned(), ".env: line 1"),
        (String::new(), "AUTH_SECRET: is not set"),
    ] {
        work_dir.write(".env", &dotenv);
        send_hangup(&server, &format!("{SECRETS_UNCHANGED}{reason}"));
        assert!(accepts(&server, &user), "{dotenv}");
        let new_login = log_in(&server);
        assert!(accepts(&server, &new_login), "{dotenv}");
    }
    assert!(!work_dir.path("data/auth.db.secret").exists());
    work_dir.write(".env", dotenv_text(SECRET, OTHER_SECRET));
    send_hangup(&server, &key_ids(SECRET, &[OTHER_SECRET]));
    let log = server.stop().text();
    assert!(!log.contains("hunter2"), "{log}");
}

#[test]
fn secrets_from_the_environment_or_a_flag_are_not_reloaded() {
    let work_dir = WorkDir::new();
    let environment = [
        ("AUTH_SECRET", SECRET),
        ("AUTH_SECRETS_PREVIOUS", OTHER_SECRET),
    ];
    let server_with_both_variables = work_dir.program().set_all(&environment).start();
    work_dir.write(".env", dotenv_text(OTHER_SECRET, ""));
    let line = send_hangup(&server_with_both_variables, SECRETS_UNCHANGED);
    assert!(line.contains("cannot be read again"), "{line}");
    server_with_both_variables.stop();

    // `AUTH_SECRET` is in the environment, so only `AUTH_SECRETS_PREVIOUS` is read from `.env`.
    let server_with_one_variable = work_dir.program().set_all(&environment[..1]).start();
    work_dir.write(".env", dotenv_text("not read", OTHER_SECRET));
    send_hangup(&server_with_one_variable, &key_ids(SECRET, &[OTHER_SECRET]));
    server_with_one_variable.stop();

    work_dir.write(".env", dotenv_text(OTHER_SECRET, SECRET));
    let flag_arguments = ["--auth-secret", SECRET];
    let server_with_flag = work_dir.program().args(&flag_arguments).start();
    work_dir.write(".env", dotenv_text("not read", ""));
    send_hangup(&server_with_flag, &key_ids(SECRET, &[]));
}

#[test]
fn a_generated_secret_is_reloaded_from_the_secret_file() {
    let work_dir = WorkDir::new();
    let server = work_dir.quick_server();
    let old_login = server.register("ada@example.com", PASSWORD);
    work_dir.write("data/auth.db.secret", format!("{SECRET}\n"));
    send_hangup(&server, &key_ids(SECRET, &[]));
    assert!(!accepts(&server, &old_login));
    let new_login = log_in(&server);
    assert!(accepts(&server, &new_login));
}

#[test]
fn no_setting_other_than_the_secrets_is_reloaded() {
    let work_dir = WorkDir::new();
    work_dir.write(".env", dotenv_text(SECRET, ""));
    let server = work_dir.quick_server();
    server.register("ada@example.com", PASSWORD);
    let changed_settings = "ACCESS_TOKEN_TTL=1m\nAUTH_ISSUER=another\nTOKEN_AUDIENCES=reports\n";
    work_dir.write(".env", dotenv_text(OTHER_SECRET, SECRET) + changed_settings);
    send_hangup(&server, &key_ids(OTHER_SECRET, &[SECRET]));
    let token_response = server.log_in("ada@example.com", PASSWORD).expect(200);
    assert_eq!(token_response["expires_in"], 900);
    let user = User::of(&token_response);
    assert!(accepts(&server, &user));
    let body = serde_json::json!({ "audience": "reports" });
    let response = server.post("/api/auth/token", &user.token, &body);
    response.expect(403);
}
