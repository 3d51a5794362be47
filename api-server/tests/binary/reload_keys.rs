//! Tests that SIGHUP reads the key files again.

use auth_core::public_key::{Algorithm, SigningKey};
use rustix::process::Signal;

use harness::{OTHER_SECRET, SECRET, Server, User, WorkDir};

const PASSWORD: &str = "correct horse battery staple";
/// The text before the ids of the public keys in the log, if one of them signs.
const SIGNS: &str = "EdDSA signs access tokens; public keys: ";
const UNCHANGED: &str = "SIGHUP: the secrets and keys stay as they were: ";

fn create_key(work_dir: &WorkDir, file: &str) -> SigningKey {
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    work_dir.write_private(file, key.to_pem().unwrap().as_bytes());
    key
}

fn write_dotenv(work_dir: &WorkDir, signing_key: &str, verifying_keys: &str) {
    let text = format!(
        "AUTH_SECRET={SECRET}\nAUTH_SIGNING_KEY={signing_key}\nAUTH_VERIFYING_KEYS={verifying_keys}\n"
    );
    work_dir.write(".env", text);
}

/// Sends SIGHUP, and waits until the log has a line that contains `expected_part`.
fn send_hangup(server: &Server, expected_part: &str) {
    server.signal(Signal::HUP);
    server.log.line(expected_part);
}

fn log_in(server: &Server) -> User {
    User::of(&server.log_in("ada@example.com", PASSWORD).expect(200))
}

fn accepts(server: &Server, user: &User) -> bool {
    let response = server.get("/api/auth/session", &user.token);
    assert!(matches!(response.status, 200 | 401), "{}", response.body);
    response.status == 200
}

fn published_ids(server: &Server) -> Vec<String> {
    let document = server.get("/.well-known/jwks.json", "").expect(200);
    let keys = document["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

fn ids(keys: &[&SigningKey]) -> Vec<String> {
    let ids = keys.iter().map(|key| key.public_key().key_id().to_owned());
    ids.collect()
}

#[test]
fn the_secret_is_replaced_by_a_key_and_the_key_by_another_without_a_restart() {
    let work_dir = WorkDir::new();
    let old_key = create_key(&work_dir, "old.pem");
    let new_key = create_key(&work_dir, "new.pem");
    write_dotenv(&work_dir, "", "");
    let server = work_dir.quick_server();
    let secret_login = server.register("ada@example.com", PASSWORD);
    server.get("/.well-known/jwks.json", "").expect(404);

    let mut logins = vec![secret_login];
    for (signing_file, verifying_files, published, log_part) in [
        ("", "old.pem", &[&old_key][..], "none of which signs: "),
        ("old.pem", "", &[&old_key], SIGNS),
        ("old.pem", "new.pem", &[&old_key, &new_key], SIGNS),
        ("new.pem", "old.pem", &[&new_key, &old_key], SIGNS),
    ] {
        write_dotenv(&work_dir, signing_file, verifying_files);
        send_hangup(&server, &format!("{log_part}{:?}", ids(published)));
        assert_eq!(published_ids(&server), ids(published));
        logins.push(log_in(&server));
        assert!(logins.iter().all(|login| accepts(&server, login)));
    }
    write_dotenv(&work_dir, "new.pem", "");
    send_hangup(&server, &format!("{SIGNS}{:?}", ids(&[&new_key])));
    assert_eq!(published_ids(&server), ids(&[&new_key]));
    let accepted: Vec<_> = logins.iter().map(|login| accepts(&server, login)).collect();
    // The first two logins have tokens of the secret.
    assert_eq!(accepted, [true, true, false, false, true]);
    let log = server.stop().text();
    assert!(!log.contains("PRIVATE KEY"), "{log}");
}

#[test]
fn the_content_of_a_key_file_is_read_again_even_if_the_environment_names_the_file() {
    let work_dir = WorkDir::new();
    let old_key = create_key(&work_dir, "key.pem");
    let program = work_dir.program().with_weak_hashing().set_all(&[
        ("AUTH_SECRET", SECRET),
        ("AUTH_SECRETS_PREVIOUS", OTHER_SECRET),
        ("AUTH_SIGNING_KEY", "key.pem"),
    ]);
    let server = program.start();
    assert_eq!(published_ids(&server), ids(&[&old_key]));
    let new_key = create_key(&work_dir, "key.pem");
    // The variable of the environment stays.
    work_dir.write(".env", "AUTH_SIGNING_KEY=absent.pem\n");
    send_hangup(&server, new_key.public_key().key_id());
    assert_eq!(published_ids(&server), ids(&[&new_key]));
}

#[test]
fn an_invalid_key_file_changes_nothing() {
    let work_dir = WorkDir::new();
    let key = create_key(&work_dir, "key.pem");
    write_dotenv(&work_dir, "key.pem", "");
    let server = work_dir.quick_server();
    let user = server.register("ada@example.com", PASSWORD);
    work_dir.write("exposed.pem", key.to_pem().unwrap().as_bytes());
    work_dir.write_private("public.pem", key.public_key().to_pem().unwrap());
    for (signing_key, verifying_keys, reason) in [
        ("absent.pem", "", "AUTH_SIGNING_KEY: absent.pem: "),
        (
            "exposed.pem",
            "",
            "AUTH_SIGNING_KEY: other users of this machine",
        ),
        (
            "public.pem",
            "",
            "AUTH_SIGNING_KEY: public.pem: the PEM contains only",
        ),
        ("key.pem", "absent.pem", "AUTH_VERIFYING_KEYS: absent.pem: "),
    ] {
        write_dotenv(&work_dir, signing_key, verifying_keys);
        send_hangup(&server, &format!("{UNCHANGED}{reason}"));
        assert_eq!(published_ids(&server), ids(&[&key]));
        assert!(accepts(&server, &user) && accepts(&server, &log_in(&server)));
    }
    let next_key = create_key(&work_dir, "key.pem");
    write_dotenv(&work_dir, "key.pem", "");
    send_hangup(&server, next_key.public_key().key_id());
}
