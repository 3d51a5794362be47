//! Tests `api-server keys generate` with an algorithm, `api-server keys show`, and servers that sign with such keys.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use auth_core::public_key::{Algorithm, PublicKey, SigningKey};
use serde_json::Value;

use harness::{Outcome, WorkDir, repository_file};

const ALGORITHMS: [(&str, Algorithm); 2] =
    [("eddsa", Algorithm::EdDsa), ("es256", Algorithm::Es256)];

fn run_keys(work_dir: &WorkDir, arguments: &[&str]) -> Outcome {
    work_dir
        .bare_program()
        .args(&["keys"])
        .args(arguments)
        .run()
}

fn generate(work_dir: &WorkDir, algorithm: &str, file: &str) -> Outcome {
    run_keys(work_dir, &["generate", "--algorithm", algorithm, file])
}

/// Asserts that the output is the public key in one line, and its thumbprint in another.
fn assert_shows(outcome: &Outcome, key: &PublicKey) {
    let expected = format!("{}\n{}\n", key.to_jwk(), key.thumbprint());
    assert_eq!(outcome.stdout, expected);
    assert_eq!(outcome.stderr, "");
}

#[test]
fn keys_generate_creates_a_private_file_with_a_new_key() {
    for (name, algorithm) in ALGORITHMS {
        let work_dir = WorkDir::new();
        let outcome = generate(&work_dir, name, "key.pem").assert_succeeded();
        let mode = fs::metadata(work_dir.path("key.pem"))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
        let pem = fs::read_to_string(work_dir.path("key.pem")).unwrap();
        let key = SigningKey::from_pem(&pem).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        assert_shows(&outcome, key.public_key());
        generate(&work_dir, name, "other.pem").assert_succeeded();
        assert_ne!(fs::read_to_string(work_dir.path("other.pem")).unwrap(), pem);
        assert_eq!(work_dir.names(), ["key.pem", "other.pem"]);
    }
}

#[test]
fn keys_generate_replaces_no_file() {
    let work_dir = WorkDir::new();
    work_dir.write("key.pem", "a key in use");
    std::os::unix::fs::symlink("nowhere", work_dir.path("link.pem")).unwrap();
    for file in ["key.pem", "link.pem"] {
        let outcome = generate(&work_dir, "eddsa", file);
        outcome.assert_failed(1, &[file, "is not replaced"]);
        assert_eq!(outcome.stdout, "");
    }
    let content = fs::read_to_string(work_dir.path("key.pem")).unwrap();
    assert_eq!(content, "a key in use");
    assert_eq!(work_dir.names(), ["key.pem", "link.pem"]);
    let outcome = generate(&work_dir, "eddsa", "no/folder/key.pem");
    outcome.assert_failed(1, &["cannot create no/folder/key.pem"]);
}

#[test]
fn keys_generate_rejects_invalid_arguments() {
    let work_dir = WorkDir::new();
    for (arguments, message) in [
        (&["key.pem"][..], "--algorithm <ALGORITHM>"),
        (&["--algorithm", "eddsa"], "<FILE>"),
        (&["--algorithm", "rs256", "key.pem"], "eddsa, es256"),
        (&["--algorithm", "EdDSA", "key.pem"], "eddsa, es256"),
        (&["--algorithm", "eddsa", "key.pem", "b.pem"], "b.pem"),
    ] {
        let outcome = run_keys(&work_dir, &[&["generate"], arguments].concat());
        outcome.assert_failed(2, &[message]);
    }
    assert_eq!(work_dir.names(), [""; 0]);
}

#[test]
fn openssl_reads_a_generated_key_and_the_program_reads_its_public_key() {
    for (name, _) in ALGORITHMS {
        let work_dir = WorkDir::new();
        let generated = generate(&work_dir, name, "key.pem").assert_succeeded();
        let mut openssl = Command::new("openssl");
        openssl.current_dir(work_dir.path(""));
        let arguments = "pkey -in key.pem -pubout -out public.pem".split(' ');
        assert!(openssl.args(arguments).status().unwrap().success());
        let shown = run_keys(&work_dir, &["show", "public.pem"]).assert_succeeded();
        assert_eq!(shown.stdout, generated.stdout);
    }
}

#[test]
fn keys_show_reads_private_and_public_keys_and_prints_no_private_member() {
    let work_dir = WorkDir::new();
    for name in ["ed25519", "ed25519.v2", "p256"] {
        let pem = repository_file(&format!("auth-core/tests/vectors/pem/{name}.pem"));
        let key = SigningKey::from_pem(&pem).unwrap();
        work_dir.write_private("key.pem", &pem);
        work_dir.write("public.pem", key.public_key().to_pem().unwrap());
        for file in ["key.pem", "public.pem"] {
            let outcome = run_keys(&work_dir, &["show", file]).assert_succeeded();
            assert_shows(&outcome, key.public_key());
            let jwk: Value = serde_json::from_str(outcome.stdout.lines().next().unwrap()).unwrap();
            assert_eq!(jwk.get("d"), None);
        }
    }
    let outcome = run_keys(&work_dir, &["show", "absent.pem"]);
    outcome.assert_failed(2, &["absent.pem: ", "No such file"]);
    work_dir.write(
        "rsa.pem",
        repository_file("auth-core/tests/vectors/pem/rsa2048.pem"),
    );
    run_keys(&work_dir, &["show", "rsa.pem"]).assert_failed(2, &["rsa.pem: ", "is RSA"]);
}

#[test]
fn a_server_signs_with_a_generated_key_and_publishes_what_keys_show_prints() {
    for (name, _) in ALGORITHMS {
        let work_dir = WorkDir::new();
        let shown = generate(&work_dir, name, "key.pem")
            .assert_succeeded()
            .stdout;
        let (jwk, thumbprint) = shown.trim_end().split_once('\n').unwrap();
        let program = work_dir.program().with_weak_hashing();
        let server = program.set("AUTH_SIGNING_KEY", "key.pem").start();
        let log_line = server.log.line(" signs access tokens; public keys: ");
        assert!(log_line.contains(thumbprint), "{log_line}");
        let document = server.get("/.well-known/jwks.json", "").expect(200);
        let jwk: Value = serde_json::from_str(jwk).unwrap();
        assert_eq!(document["keys"], Value::Array(vec![jwk]));
        let user = server.register("ada@example.com", "correct horse battery staple");
        server.get("/api/auth/session", &user.token).expect(200);
    }
}
