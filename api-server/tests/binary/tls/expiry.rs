//! Tests what `check` and the log say about a certificate that expires soon, has expired or is not valid yet.

use std::time::{Duration, SystemTime};

use harness::{CertificateFiles, WorkDir};
use rustix::process::Signal;

use super::{CERTIFICATE_FILE, KEY_FILE, encrypted_program, send_hangup};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Writes a certificate that is valid from this many days ago for this many days.
fn write_valid_for(work_dir: &WorkDir, days_since_start: u32, days: u32) {
    let start = SystemTime::now() - DAY * days_since_start;
    let files = CertificateFiles::valid(start, start + DAY * days);
    work_dir.write(CERTIFICATE_FILE, files.certificate);
    work_dir.write(KEY_FILE, files.key);
}

#[test]
fn check_warns_of_a_certificate_that_expires_soon_and_fails_for_one_that_is_not_valid() {
    let work_dir = WorkDir::new();
    let check = || {
        let outcome = encrypted_program(&work_dir).args(&["check"]).run();
        let line = outcome
            .stdout
            .lines()
            .find(|line| line.contains(" TLS_CERT: "));
        (
            outcome.code,
            line.unwrap_or_else(|| panic!("{}", outcome.output()))
                .to_owned(),
        )
    };
    for (days_since_start, days, code, start, end) in [
        (
            1,
            365,
            0,
            "OK    TLS_CERT: the certificate in certificate.pem is valid until 2",
            "Z",
        ),
        (
            76,
            89,
            0,
            "WARN  TLS_CERT: the certificate in certificate.pem expires at 2",
            "Z; renew it, and send the server SIGHUP",
        ),
        (
            90,
            89,
            1,
            "WRONG TLS_CERT: the certificate in certificate.pem expired at 2",
            "Z; renew it, and send the server SIGHUP",
        ),
    ] {
        write_valid_for(&work_dir, days_since_start, days);
        let (found_code, line) = check();
        assert_eq!(found_code, Some(code), "{line}");
        assert!(line.starts_with(start) && line.ends_with(end), "{line}");
    }
    let tomorrow = SystemTime::now() + DAY;
    let files = CertificateFiles::valid(tomorrow, tomorrow + DAY);
    work_dir.write(CERTIFICATE_FILE, files.certificate);
    work_dir.write(KEY_FILE, files.key);
    let (code, line) = check();
    assert_eq!(code, Some(1));
    assert!(
        line.starts_with("WRONG TLS_CERT: ") && line.contains(" is not valid before 2"),
        "{line}"
    );
}

#[test]
fn the_log_has_one_line_for_a_certificate_that_expires_soon_at_the_start_and_after_a_sighup() {
    let work_dir = WorkDir::new();
    write_valid_for(&work_dir, 76, 89);
    let server = encrypted_program(&work_dir).start();
    let line = server
        .log
        .line("TLS_CERT: the certificate in certificate.pem expires at ");
    assert!(line.contains("WARN"), "{line}");
    write_valid_for(&work_dir, 90, 89);
    server.signal(Signal::HUP);
    let line = server
        .log
        .line("TLS_CERT: the certificate in certificate.pem expired at ");
    assert!(line.contains("ERROR"), "{line}");
    let log = server.stop();
    let lines = log.lines();
    let problem_count = lines
        .iter()
        .filter(|line| line.contains("TLS_CERT"))
        .count();
    assert_eq!(problem_count, 2, "{}", log.text());
}

#[test]
fn the_log_has_no_line_for_a_certificate_that_is_valid_for_long() {
    let work_dir = WorkDir::new();
    write_valid_for(&work_dir, 1, 90);
    let server = encrypted_program(&work_dir).start();
    send_hangup(&server, "SIGHUP: read the certificate");
    let log = server.stop();
    assert!(!log.text().contains("TLS_CERT"), "{}", log.text());
}
