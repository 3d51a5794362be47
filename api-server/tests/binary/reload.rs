//! Tests that SIGHUP reloads the secrets and no other setting.

use auth_core::{Keyring, Secret};
use rustix::process::Signal;

use harness::{OTHER_SECRET, SECRET, Server, User, WorkDir};

const PASSWORD: &str = "correct horse battery staple";
/// The start of the log line after a SIGHUP that changes no secret.
const SECRETS_UNCHANGED: &str = "SIGHUP: the secrets stay as they were: ";

fn dotenv_text(current: &str, previous: &str) -> String {
    format!("AUTH_SECRET='{current}'\nAUTH_SECRETS_PREVIOUS='{previous}'\n")
}

/// Returns a keyring of these secrets as the log prints it: as a list of key ids.
fn key_ids(current: &str, previous: &[&str]) -> String {
    let secret = |text: &str| Secret::new(text).unwrap();
    let previous_secrets = previous.iter().map(|text| secret(text));
    format!(
        "{:?}",
        Keyring::new(secret(current)).with_previous(previous_secrets)
    )
}

/// Sends SIGHUP, waits for a log line that contains `part`, and returns the line.
fn send_hangup(server: &Server, part: &str) -> String {
    server.signal(Signal::HUP);
    server.log.line(part)
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
fn settings_from_the_environment_cannot_change() {
    let work_dir = WorkDir::new();
    let environment = [
        ("AUTH_SECRET", SECRET),
        ("AUTH_SECRETS_PREVIOUS", OTHER_SECRET),
    ];
    let server = work_dir.program().set_all(&environment).start();
    work_dir.write(".env", dotenv_text(OTHER_SECRET, ""));
    let line = send_hangup(&server, SECRETS_UNCHANGED);
    assert!(line.contains("cannot be read again"), "{line}");
    server.stop();

    // One of the two variables is in the environment; the other is reloaded.
    let server = work_dir.program().set_all(&environment[..1]).start();
    work_dir.write(".env", dotenv_text("not read", OTHER_SECRET));
    send_hangup(&server, &key_ids(SECRET, &[OTHER_SECRET]));
    server.stop();

    work_dir.write(".env", dotenv_text(OTHER_SECRET, SECRET));
    let flag = ["--auth-secret", SECRET];
    let server = work_dir.program().args(&flag).start();
    work_dir.write(".env", dotenv_text("not read", ""));
    send_hangup(&server, &key_ids(SECRET, &[]));
}

#[test]
fn the_generated_secret_is_read_from_its_file() {
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
fn nothing_but_the_secrets_is_read_again() {
    let work_dir = WorkDir::new();
    work_dir.write(".env", dotenv_text(SECRET, ""));
    let server = work_dir.quick_server();
    server.register("ada@example.com", PASSWORD);
    let other_settings = "ACCESS_TOKEN_TTL=1m\nAUTH_ISSUER=another\nTOKEN_AUDIENCES=reports\n";
    work_dir.write(".env", dotenv_text(OTHER_SECRET, SECRET) + other_settings);
    send_hangup(&server, &key_ids(OTHER_SECRET, &[SECRET]));
    let token_response = server.log_in("ada@example.com", PASSWORD).expect(200);
    assert_eq!(token_response["expires_in"], 900);
    let user = User::of(&token_response);
    assert!(accepts(&server, &user));
    let body = serde_json::json!({ "audience": "reports" });
    let response = server.post("/api/auth/token", &user.token, &body);
    response.expect(403);
}
