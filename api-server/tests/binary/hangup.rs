//! SIGHUP: the secrets are read again, and nothing else.

use auth_core::{Keyring, Secret};
use rustix::process::Signal;

use harness::{OTHER_SECRET, Person, Place, SECRET, Server};

const PASSWORD: &str = "correct horse battery staple";
const STAY: &str = "SIGHUP: the secrets stay as they were: ";

fn env(current: &str, previous: &str) -> String {
    format!("AUTH_SECRET='{current}'\nAUTH_SECRETS_PREVIOUS='{previous}'\n")
}

/// What the log says of these secrets.
fn key_ids(current: &str, previous: &[&str]) -> String {
    let secret = |text: &str| Secret::new(text).unwrap();
    let previous = previous.iter().map(|text| secret(text));
    format!(
        "{:?}",
        Keyring::new(secret(current)).with_previous(previous)
    )
}

/// Sends the signal and waits until the log says this of it.
fn hang_up(server: &Server, said: &str) -> String {
    server.signal(Signal::HUP);
    server.log.line(said)
}

fn log_in(server: &Server) -> Person {
    Person::of(&server.log_in("ada@example.com", PASSWORD).expect(200))
}

fn is_accepted(server: &Server, person: &Person) -> bool {
    let answer = server.get("/api/auth/session", &person.token);
    assert!(matches!(answer.status, 200 | 401), "{}", answer.body);
    answer.status == 200
}

#[test]
fn a_secret_is_replaced_step_by_step_without_a_restart() {
    let place = Place::new();
    place.write(".env", env(SECRET, ""));
    let server = place.quick_server();
    let old = server.register("ada@example.com", PASSWORD);

    place.write(".env", env(SECRET, OTHER_SECRET));
    hang_up(&server, &key_ids(SECRET, &[OTHER_SECRET]));
    place.write(".env", env(OTHER_SECRET, SECRET));
    hang_up(&server, &key_ids(OTHER_SECRET, &[SECRET]));
    let new = log_in(&server);
    assert!(is_accepted(&server, &old) && is_accepted(&server, &new));

    place.write(".env", env(OTHER_SECRET, ""));
    hang_up(&server, &key_ids(OTHER_SECRET, &[]));
    assert!(!is_accepted(&server, &old) && is_accepted(&server, &new));
    let log = server.stop().text();
    for secret in [SECRET, OTHER_SECRET] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn secrets_that_cannot_be_used_change_nothing() {
    let place = Place::new();
    place.write(".env", env(SECRET, ""));
    let server = place.quick_server();
    let person = server.register("ada@example.com", PASSWORD);
    for (text, why) in [
        (env("hunter2", ""), "AUTH_SECRET: the secret is shorter"),
        (env(OTHER_SECRET, "hunter2"), "AUTH_SECRETS_PREVIOUS: "),
        ("AUTH_SECRET=hunter2 hunter2".to_owned(), ".env: line 1"),
        (String::new(), "AUTH_SECRET: is not set"),
    ] {
        place.write(".env", &text);
        hang_up(&server, &format!("{STAY}{why}"));
        assert!(is_accepted(&server, &person), "{text}");
        let again = log_in(&server);
        assert!(is_accepted(&server, &again), "{text}");
    }
    assert!(!place.path("data/auth.db.secret").exists());
    place.write(".env", env(SECRET, OTHER_SECRET));
    hang_up(&server, &key_ids(SECRET, &[OTHER_SECRET]));
    let log = server.stop().text();
    assert!(!log.contains("hunter2"), "{log}");
}

#[test]
fn what_the_environment_gave_cannot_change() {
    let place = Place::new();
    let given = [
        ("AUTH_SECRET", SECRET),
        ("AUTH_SECRETS_PREVIOUS", OTHER_SECRET),
    ];
    let server = place.program().set_all(&given).start();
    place.write(".env", env(OTHER_SECRET, ""));
    let line = hang_up(&server, STAY);
    assert!(line.contains("cannot be read again"), "{line}");
    server.stop();

    // One of them, and the other is read.
    let server = place.program().set_all(&given[..1]).start();
    place.write(".env", env("not looked at", OTHER_SECRET));
    hang_up(&server, &key_ids(SECRET, &[OTHER_SECRET]));
    server.stop();

    place.write(".env", env(OTHER_SECRET, SECRET));
    let flag = ["--auth-secret", SECRET];
    let server = place.program().args(&flag).start();
    place.write(".env", env("not looked at", ""));
    hang_up(&server, &key_ids(SECRET, &[]));
}

#[test]
fn the_generated_secret_is_read_from_its_file() {
    let place = Place::new();
    let server = place.quick_server();
    let old = server.register("ada@example.com", PASSWORD);
    place.write("data/auth.db.secret", format!("{SECRET}\n"));
    hang_up(&server, &key_ids(SECRET, &[]));
    assert!(!is_accepted(&server, &old));
    let new = log_in(&server);
    assert!(is_accepted(&server, &new));
}

#[test]
fn nothing_but_the_secrets_is_read_again() {
    let place = Place::new();
    place.write(".env", env(SECRET, ""));
    let server = place.quick_server();
    server.register("ada@example.com", PASSWORD);
    let others = "ACCESS_TOKEN_TTL=1m\nAUTH_ISSUER=another\nTOKEN_AUDIENCES=reports\n";
    place.write(".env", env(OTHER_SECRET, SECRET) + others);
    hang_up(&server, &key_ids(OTHER_SECRET, &[SECRET]));
    let grant = server.log_in("ada@example.com", PASSWORD).expect(200);
    assert_eq!(grant["expires_in"], 900);
    let person = Person::of(&grant);
    assert!(is_accepted(&server, &person));
    let body = serde_json::json!({ "audience": "reports" });
    let answer = server.post("/api/auth/token", &person.token, &body);
    answer.expect(403);
}
