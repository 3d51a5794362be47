//! Tests `mail test`: what it sends, and what it says about the mail server's answer.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::thread::{JoinHandle, spawn};

use harness::{Outcome, WorkDir};
use serde_json::json;

/// A mail server that gives these answers, one after each line that it receives, and returns the lines.
struct MailServer {
    url: String,
    thread: JoinHandle<Vec<String>>,
}

impl MailServer {
    fn start(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let mut received = Vec::new();
            stream.write_all(b"220 mx.example\r\n").unwrap();
            for answer in answers {
                let end_of_mail = received.last().is_some_and(|line| line == "DATA");
                let is_end = |line: &String| !end_of_mail || line == ".";
                received.extend(lines.by_ref().map(Result::unwrap).find(is_end));
                stream.write_all(answer.as_bytes()).unwrap();
            }
            received
        });
        let url = format!("smtp://ada-user:hunter2@127.0.0.1:{port}");
        Self { url, thread }
    }
}

fn send_test_mail(work_dir: &WorkDir, settings: &[(&str, &str)]) -> Outcome {
    let program = work_dir.bare_program().set_all(settings);
    program
        .args(&["mail", "test", "--to", "Ada@Example.com"])
        .run()
}

#[test]
fn without_a_mail_server_the_mail_is_a_file_and_the_path_is_printed() {
    let work_dir = WorkDir::new();
    let outcome = send_test_mail(&work_dir, &[]).assert_succeeded();
    let start = "SMTP_URL is not set, so the mail to ada@example.com was written to ";
    let path = outcome.stdout.trim().strip_prefix(start).unwrap();
    assert!(path.starts_with("data/mail/"), "{path}");
    let mail = std::fs::read_to_string(work_dir.path(path)).unwrap();
    for line in [
        "From: api-server <no-reply@localhost>",
        "To: ada@example.com",
        "Subject: Test mail from 127.0.0.1:8080",
    ] {
        assert!(mail.lines().any(|mail_line| mail_line == line), "{mail}");
    }
    assert_eq!(outcome.stderr, "");
    assert!(!work_dir.path("data/auth.db").exists());
}

#[test]
fn the_answer_of_the_mail_server_is_printed() {
    let server = MailServer::start(&[
        "250-mx.example\r\n250 AUTH PLAIN\r\n",
        "235 Hello\r\n",
        "250 Ok\r\n",
        "250 Ok\r\n",
        "354 Go on\r\n",
        "250 2.0.0 Ok: queued as 4XYZ\r\n",
        "221 Bye\r\n",
    ]);
    let settings = [
        ("SMTP_URL", server.url.as_str()),
        ("MAIL_FROM", "Example <no-reply@example.com>"),
    ];
    let work_dir = WorkDir::new();
    let outcome = send_test_mail(&work_dir, &settings).assert_succeeded();
    let end = " accepted the mail to ada@example.com: 250 2.0.0 Ok: queued as 4XYZ\n";
    assert!(outcome.stdout.ends_with(end), "{}", outcome.output());
    let received = server.thread.join().unwrap();
    assert_eq!(received[2], "MAIL FROM:<no-reply@example.com>");
    assert_eq!(received[3], "RCPT TO:<ada@example.com>");
    assert_eq!(work_dir.names(), [""; 0]);
}

#[test]
fn a_rejected_mail_is_a_failure_with_the_reason_and_without_the_password() {
    let server = MailServer::start(&[
        "250-mx.example\r\n250 AUTH PLAIN\r\n",
        "535 5.7.8 Wrong password\r\n",
    ]);
    let settings = [
        ("SMTP_URL", server.url.as_str()),
        ("MAIL_FROM", "no-reply@example.com"),
    ];
    let outcome = send_test_mail(&WorkDir::new(), &settings);
    outcome.assert_failed(
        1,
        &["not delivered", "535 5.7.8 Wrong password", "SMTP_URL"],
    );
    let output = outcome.output();
    assert!(
        !output.contains("hunter2") && !output.contains("ada-user"),
        "{output}"
    );
}

#[test]
fn a_mail_server_that_cannot_be_reached_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // The server closes each connection without a word.
    let thread = spawn(move || drop(listener.accept().unwrap()));
    let url = format!("smtp://{address}");
    let settings = [("SMTP_URL", url.as_str()), ("MAIL_FROM", "a@b.example")];
    let outcome = send_test_mail(&WorkDir::new(), &settings);
    outcome.assert_failed(1, &[&address, "closed the connection"]);
    thread.join().unwrap();
}

#[test]
fn all_problems_of_the_settings_are_reported_with_the_recipient() {
    let work_dir = WorkDir::new();
    let program = work_dir.bare_program().set_all(&[
        ("SMTP_URL", "smtp://ada:hunter2@mx.example?tls=none"),
        ("AUTH_SECRET", "short"),
        ("BCRYPT_COST", "99"),
    ]);
    let outcome = program.args(&["mail", "test", "--to", "ada"]).run();
    outcome.assert_failed(2, &["SMTP_URL: ", "MAIL_FROM: is required", "--to: use"]);
    let output = outcome.output();
    for other in ["hunter2", "AUTH_SECRET", "BCRYPT_COST"] {
        assert!(!output.contains(other), "{output}");
    }
}

#[test]
fn a_broken_template_is_named_before_the_server_starts() {
    let work_dir = WorkDir::new();
    std::fs::create_dir_all(work_dir.path("texts/de")).unwrap();
    work_dir.write("texts/de/password_reset.txt", "{{ link }}\n{{ name }}");
    let program = work_dir.program().set("MAIL_TEMPLATES", "texts");
    let outcome = program.run();
    outcome.assert_failed(2, &["MAIL_TEMPLATES: de/password_reset.txt, line 2: "]);
    assert_eq!(work_dir.names(), ["texts"]);
}

#[test]
fn without_settings_a_registration_writes_a_mail_that_verifies_the_address() {
    let work_dir = WorkDir::new();
    let server = work_dir.quick_server();
    let ada = server.register("ada@example.com", "correct horse");
    let log_line = server.log.line("mail written to");
    let (_, rest) = log_line.split_once("mail written to ").unwrap();
    let (path, rest) = rest.split_once(" kind=email_verification ").unwrap();
    let mail = std::fs::read_to_string(work_dir.path(path)).unwrap();
    assert!(mail.lines().any(|line| line == "To: ada@example.com"));
    let link = rest.trim();
    assert!(mail.lines().any(|line| line == link), "{mail}");
    let (page, token) = link.split_once('#').unwrap();
    assert!(page.ends_with("/verify"), "{page}");
    let confirm = "/api/auth/email-verification/confirm";
    let response = server.post(confirm, &ada.token, &json!({ "token": token }));
    assert_eq!(response.expect(200)["user"]["email_verified"], true);
}
