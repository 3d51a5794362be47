//! Tests the certificate of the server: which files are accepted, that SIGHUP reads them again, and `health`.

mod expiry;

use std::net::{SocketAddr, TcpStream};

use harness::{Program, Server, WorkDir, repository_file};
use native_tls::{Certificate, TlsConnector};
use rustix::process::Signal;

const CERTIFICATE_FILE: &str = "certificate.pem";
const KEY_FILE: &str = "key.pem";

/// The certificate and the key of a test, `first` or `second`.
fn pair(name: &str) -> [String; 2] {
    ["certificate", "key"]
        .map(|kind| repository_file(&format!("tests/harness/tls/{name}.{kind}.pem")))
}

fn write_pair(work_dir: &WorkDir, name: &str) {
    let [certificate, key] = pair(name);
    work_dir.write(CERTIFICATE_FILE, certificate);
    work_dir.write(KEY_FILE, key);
}

fn encrypted_program(work_dir: &WorkDir) -> Program {
    let program = work_dir.program().with_weak_hashing();
    program.set_all(&[("TLS_CERT", CERTIFICATE_FILE), ("TLS_KEY", KEY_FILE)])
}

/// Whether a client that trusts only this certificate can connect.
fn has_certificate(addr: SocketAddr, name: &str) -> bool {
    let [certificate, _key] = pair(name);
    let connector = TlsConnector::builder()
        .disable_built_in_roots(true)
        .add_root_certificate(Certificate::from_pem(certificate.as_bytes()).unwrap())
        .build()
        .unwrap();
    let stream = TcpStream::connect(addr).unwrap();
    connector.connect("localhost", stream).is_ok()
}

fn send_hangup(server: &Server, expected_part: &str) -> String {
    server.signal(Signal::HUP);
    server.log.line(expected_part)
}

#[test]
fn a_certificate_is_replaced_without_a_restart() {
    let work_dir = WorkDir::new();
    write_pair(&work_dir, "first");
    let server = encrypted_program(&work_dir).start();
    server.log.line("listening on https://127.0.0.1:");
    assert!(has_certificate(server.addr(), "first"));
    assert!(!has_certificate(server.addr(), "second"));
    write_pair(&work_dir, "second");
    send_hangup(
        &server,
        "SIGHUP: read the certificate in certificate.pem again",
    );
    assert!(has_certificate(server.addr(), "second"));
    assert!(!has_certificate(server.addr(), "first"));
    server.stop();
}

#[test]
fn an_invalid_new_certificate_changes_nothing() {
    let work_dir = WorkDir::new();
    write_pair(&work_dir, "first");
    let server = encrypted_program(&work_dir).start();
    let [second_certificate, _key] = pair("second");
    work_dir.write(CERTIFICATE_FILE, second_certificate);
    let unchanged = "SIGHUP: the certificate stays as it was: ";
    let line = send_hangup(
        &server,
        &format!("{unchanged}TLS_KEY: key.pem is not the key"),
    );
    assert!(line.contains("ERROR"), "{line}");
    work_dir.write(CERTIFICATE_FILE, "");
    send_hangup(
        &server,
        &format!("{unchanged}TLS_CERT: certificate.pem: it has no certificate"),
    );
    assert!(has_certificate(server.addr(), "first"));
    server.stop();
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_its_remedy() {
    let [certificate, key] = pair("first");
    let [second_certificate, _second_key] = pair("second");
    let damaged = certificate.replace("-----END", "-----");
    let no_base64 = certificate.replace("MII", "M!!");
    let no_certificate = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    let encrypted_key = repository_file("auth-core/tests/vectors/pem/ed25519.encrypted.pem");
    let too_large = "x".repeat(1024 * 1024 + 1);
    for (certificate_text, key_text, message) in [
        (
            "",
            key.as_str(),
            "TLS_CERT: certificate.pem: it has no certificate; name a PEM file",
        ),
        (
            &key,
            &key,
            "TLS_CERT: certificate.pem: it has no certificate; name a PEM file",
        ),
        (&damaged, &key, "TLS_CERT: certificate.pem: "),
        (&no_base64, &key, "TLS_CERT: certificate.pem: "),
        (no_certificate, &key, "TLS_CERT: certificate.pem: "),
        (
            &too_large,
            &key,
            "TLS_CERT: certificate.pem: it is larger than 1 MiB",
        ),
        (
            &certificate,
            "",
            "TLS_KEY: key.pem: it has no unencrypted private key; name a PEM file",
        ),
        (
            &certificate,
            &certificate,
            "TLS_KEY: key.pem: it has no unencrypted private key",
        ),
        (
            &certificate,
            &encrypted_key,
            "TLS_KEY: key.pem: it has no unencrypted private key",
        ),
        (
            &second_certificate,
            &key,
            "TLS_KEY: key.pem is not the key of the first certificate in certificate.pem; name the two files",
        ),
    ] {
        let work_dir = WorkDir::new();
        work_dir.write(CERTIFICATE_FILE, certificate_text);
        work_dir.write(KEY_FILE, key_text);
        let outcome = encrypted_program(&work_dir).run();
        outcome.assert_failed(2, &[message]);
        assert_eq!(outcome.stderr.lines().count(), 2, "{}", outcome.stderr);
    }
}

#[test]
fn each_missing_file_is_named() {
    let work_dir = WorkDir::new();
    let outcome = encrypted_program(&work_dir).run();
    let messages = [
        "TLS_CERT: certificate.pem: No such file",
        "TLS_KEY: key.pem: No such file",
    ];
    outcome.assert_failed(2, &messages);
}

#[test]
fn the_certificate_and_the_key_need_each_other() {
    let work_dir = WorkDir::new();
    write_pair(&work_dir, "first");
    let only_certificate = work_dir.program().set("TLS_CERT", CERTIFICATE_FILE).run();
    only_certificate.assert_failed(2, &["TLS_KEY: name the file with the private key"]);
    let only_key = work_dir.program().set("TLS_KEY", KEY_FILE).run();
    only_key.assert_failed(2, &["TLS_CERT: name the file with the certificate"]);
}

#[test]
fn an_encrypted_server_is_healthy() {
    let work_dir = WorkDir::new();
    write_pair(&work_dir, "first");
    let server = encrypted_program(&work_dir).start();
    let bind_addr = server.addr().to_string();
    for arguments in [&["health"][..], &["health", "--ready"]] {
        let probe = encrypted_program(&work_dir).set("BIND_ADDR", &bind_addr);
        let outcome = probe.args(arguments).run().assert_succeeded();
        assert!(
            outcome.stdout.starts_with(&format!("https://{bind_addr}/")),
            "{}",
            outcome.stdout
        );
    }
    // Without the settings, the probe speaks plain HTTP, which the server does not understand.
    let plain_probe = work_dir.bare_program().set("BIND_ADDR", &bind_addr);
    plain_probe
        .args(&["health"])
        .run()
        .assert_failed(1, &["the response is not HTTP/1.1"]);
}

#[test]
fn check_knows_that_the_server_itself_encrypts() {
    let work_dir = WorkDir::new();
    write_pair(&work_dir, "first");
    let program = encrypted_program(&work_dir).set("PUBLIC_URL", "https://auth.example.com");
    let outcome = program.args(&["check"]).run();
    let line = outcome
        .stdout
        .lines()
        .find(|line| line.contains(" TRUSTED_PROXIES: "));
    assert!(
        line.is_some_and(|line| line.starts_with("OK ")),
        "{}",
        outcome.stdout
    );
}
