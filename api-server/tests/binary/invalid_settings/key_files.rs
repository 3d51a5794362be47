//! Tests key files that are not acceptable: the error names the file and the remedy, and quotes nothing of the file.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use harness::{WorkDir, repository_file};

use super::error_lines;

const SIGNING_KEY: &str = "AUTH_SIGNING_KEY";
const VERIFYING_KEYS: &str = "AUTH_VERIFYING_KEYS";

fn vector(name: &str) -> String {
    repository_file(&format!("auth-core/tests/vectors/pem/{name}.pem"))
}

/// Asserts that no server starts with this value of the variable, with one error that names the file and contains
/// `message_part`. A file with another mode than 0600 must not be the reason.
fn assert_rejected(
    work_dir: &WorkDir,
    variable: &str,
    value: &str,
    file: &str,
    message_part: &str,
) {
    let outcome = work_dir.program().set(variable, value).run();
    let lines = error_lines(&outcome);
    let [line] = lines[..] else {
        panic!("{value}: {lines:?}");
    };
    let is_expected = line.starts_with(&format!("{variable}: "))
        && line.contains(file)
        && line.contains(message_part);
    assert!(is_expected, "{message_part}: {line}");
    assert!(
        !line.contains("MC4CAQ") && !line.contains("hunter2"),
        "{line}"
    );
    assert!(!work_dir.path("data").exists());
}

#[test]
fn a_file_that_cannot_sign_is_rejected_with_the_remedy() {
    let work_dir = WorkDir::new();
    let valid = vector("ed25519");
    for (text, message_part) in [
        (
            vector("ed25519.encrypted"),
            "decrypt it with: openssl pkcs8",
        ),
        (vector("ed25519.pub"), "only a public key"),
        (vector("certificate"), "only a public key"),
        (vector("rsa2048"), "is RSA"),
        (vector("p384"), "another curve than P-256"),
        (vector("secp256k1"), "another curve than P-256"),
        (vector("p256.sec1"), "convert it with: openssl pkcs8 -topk8"),
        (vector("x25519"), "generate an Ed25519 or P-256 key"),
        (format!("{valid}{valid}"), "more than one block"),
        (
            format!("{valid}{}", vector("p256.pub")),
            "more than one block",
        ),
        (format!("{valid}hunter2"), "nothing after the END line"),
        (String::new(), "not PEM"),
        (" ".repeat(64 * 1024), "not PEM"),
        (" ".repeat(64 * 1024 + 1), "too long"),
    ] {
        work_dir.write_private("key.pem", text);
        assert_rejected(&work_dir, SIGNING_KEY, "key.pem", "key.pem", message_part);
    }
    work_dir.write_private("key.pem", [0x30, 0x2e, 0x02, 0xff]);
    let message_part = "openssl pkey -inform DER";
    assert_rejected(&work_dir, SIGNING_KEY, "key.pem", "key.pem", message_part);
    for (path, message_part) in [
        (
            "absent.pem",
            "api-server keys generate --algorithm eddsa FILE",
        ),
        ("/dev/null", "is not a file"),
        ("/", "is not a file"),
    ] {
        assert_rejected(&work_dir, SIGNING_KEY, path, path, message_part);
    }
}

#[test]
fn a_pipe_is_rejected_at_once() {
    let work_dir = WorkDir::new();
    let pipe = work_dir.path("pipe");
    let status = std::process::Command::new("mkfifo").arg(pipe).status();
    assert!(status.unwrap().success());
    assert_rejected(&work_dir, SIGNING_KEY, "pipe", "pipe", "is not a file");
}

#[test]
fn a_private_key_that_other_users_may_access_is_rejected_with_the_remedy() {
    let work_dir = WorkDir::new();
    work_dir.write("key.pem", vector("ed25519"));
    work_dir.write("public.pem", vector("p256.pub"));
    let set_mode = |mode| {
        let file = work_dir.path("key.pem");
        fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
    };
    for mode in [0o640, 0o604, 0o610, 0o602, 0o644, 0o777] {
        set_mode(mode);
        for (variable, value) in [
            (SIGNING_KEY, "key.pem"),
            (VERIFYING_KEYS, "key.pem"),
            (VERIFYING_KEYS, "public.pem, key.pem"),
        ] {
            assert_rejected(&work_dir, variable, value, "key.pem", "chmod 600 'key.pem'");
        }
    }
    for mode in [0o600, 0o400, 0o700] {
        set_mode(mode);
        let program = work_dir.program().set(SIGNING_KEY, "key.pem");
        program.set(VERIFYING_KEYS, "public.pem,key.pem").start();
    }
}

#[test]
fn a_file_without_a_usable_public_key_is_rejected_with_the_remedy() {
    let work_dir = WorkDir::new();
    work_dir.write("valid.pem", vector("ed25519.pub"));
    for (text, message_part) in [
        (vector("rsa2048.pub"), "key.pem: "),
        (vector("p384.pub"), "on the curve P-256"),
        (vector("certificate"), "openssl x509 -pubkey"),
        (vector("ed25519.encrypted"), "decrypt it with"),
        (vector("rsa2048"), "is RSA"),
        (
            format!("{0}{0}", vector("ed25519.pub")),
            "more than one block",
        ),
        (format!("{}hunter2", vector("ed25519.pub")), "nothing after"),
        (String::new(), "not PEM"),
    ] {
        work_dir.write_private("key.pem", text);
        let value = "valid.pem,key.pem";
        assert_rejected(&work_dir, VERIFYING_KEYS, value, "key.pem", message_part);
    }
    let value = "valid.pem,absent.pem";
    assert_rejected(
        &work_dir,
        VERIFYING_KEYS,
        value,
        "absent.pem",
        "No such file",
    );
}

#[test]
fn at_most_63_files_of_public_keys_are_accepted() {
    let work_dir = WorkDir::new();
    work_dir.write("public.pem", vector("ed25519.pub"));
    let files = |count| vec!["public.pem"; count].join(",");
    assert_rejected(
        &work_dir,
        VERIFYING_KEYS,
        &files(64),
        "",
        "at most 63 files",
    );
    work_dir.program().set(VERIFYING_KEYS, files(63)).start();
}

#[test]
fn keys_as_openssl_and_dalek_write_them_are_accepted() {
    for name in ["ed25519", "ed25519.v2", "p256"] {
        let work_dir = WorkDir::new();
        work_dir.write_private("key.pem", vector(name));
        let server = work_dir.program().set(SIGNING_KEY, "key.pem").start();
        server.get("/.well-known/jwks.json", "").expect(200);
    }
}

#[test]
fn an_empty_setting_is_no_setting() {
    let work_dir = WorkDir::new();
    let program = work_dir.program().set(SIGNING_KEY, "");
    let server = program.set(VERIFYING_KEYS, " , ").start();
    server.get("/.well-known/jwks.json", "").expect(404);
}
