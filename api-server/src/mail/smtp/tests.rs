//! Tests the client against servers that give the replies of a script.

mod server;
mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use native_tls::{Certificate, TlsConnector};
use socket2::{Domain, Socket, Type};

use super::{SmtpClient, TimeLimits};
use crate::mail::address::parse_mailbox;
use crate::mail::message::{ComposedMail, Composer};
use crate::mail::settings::MailSettings;
use crate::mail::smtp_url::SmtpServer;
use crate::mail::transport::SendError;
use server::{AfterScript, CERTIFICATE, ScriptedServer};

/// A limit that no reply of a scripted server reaches.
const LONG: Duration = Duration::from_secs(20);
/// The limit for a server that falls silent.
const SHORT: Duration = Duration::from_millis(100);

const GREETING: &str = "220 mx.example ESMTP\r\n";
const HELLO: &str = "250-mx.example\r\n250 8BITMIME\r\n";
const OK: &str = "250 2.0.0 Ok\r\n";
const START_TEXT: &str = "354 End data with <CR><LF>.<CR><LF>\r\n";
const BYE: &str = "221 Bye\r\n";
const QUEUED: &str = "250 2.0.0 Ok: queued as 4XYZ\r\n";

fn mail() -> ComposedMail {
    let settings = MailSettings {
        smtp: None,
        from: parse_mailbox("Example <no-reply@example.com>").unwrap(),
        reply_to: None,
        templates: None,
        folder: PathBuf::new(),
    };
    let composer = Composer::new(&settings, "http://127.0.0.1:8080").unwrap();
    let now = SystemTime::UNIX_EPOCH;
    composer.compose_test("id", "ada@example.org", now).unwrap()
}

fn client(url: &str, limit: Duration) -> SmtpClient {
    let root = Certificate::from_pem(CERTIFICATE).unwrap();
    let connector = TlsConnector::builder().add_root_certificate(root).build();
    SmtpClient {
        server: SmtpServer::parse(url).unwrap(),
        connector: connector.unwrap(),
        limits: TimeLimits {
            step: limit,
            acceptance: limit,
        },
    }
}

/// Sends a mail to a server that gives these replies. Returns the outcome and what the server received.
fn send(replies: &'static [&'static str]) -> (Result<String, SendError>, Vec<String>) {
    let server = ScriptedServer::start(replies, AfterScript::Close);
    let url = format!("smtp://127.0.0.1:{}?tls=none", server.port);
    let outcome = client(&url, LONG).send(&mail());
    (outcome, server.received())
}

fn assert_temporary(replies: &'static [&'static str], message_part: &str) {
    match send(replies).0 {
        Err(SendError::Temporary(text)) => assert!(text.contains(message_part), "{text}"),
        other => panic!("{replies:?}: {other:?}"),
    }
}

fn assert_permanent(replies: &'static [&'static str], message_part: &str) {
    match send(replies).0 {
        Err(SendError::Permanent(text)) => assert!(text.contains(message_part), "{text}"),
        other => panic!("{replies:?}: {other:?}"),
    }
}

#[test]
fn an_accepted_mail_is_sent_in_full_and_the_reply_is_returned() {
    let (outcome, received) = send(&[GREETING, HELLO, OK, OK, START_TEXT, QUEUED, BYE]);
    assert_eq!(outcome, Ok("250 2.0.0 Ok: queued as 4XYZ".to_owned()));
    let expected_lines = [
        "EHLO [127.0.0.1]",
        "MAIL FROM:<no-reply@example.com>",
        "RCPT TO:<ada@example.org>",
        "DATA",
    ];
    assert_eq!(received[..4], expected_lines);
    let text = format!("{}\r\n", received[4]);
    let sent_mail = mail();
    let (header, _) = text.split_once("\r\nContent-Type: multipart").unwrap();
    let sent_text = String::from_utf8(sent_mail.bytes().to_vec()).unwrap();
    assert!(sent_text.starts_with(header), "{header}");
    assert_eq!(text.len(), sent_text.len());
    assert_eq!(received[5..], ["QUIT"]);
}

#[test]
fn a_recipient_or_mail_that_is_rejected_for_good_is_permanent() {
    assert_permanent(
        &[GREETING, HELLO, OK, "550 5.1.1 No such user\r\n"],
        "RCPT TO was 550 5.1.1 No such user",
    );
    assert_permanent(&[GREETING, HELLO, OK, OK, "554 no\r\n"], "DATA was 554 no");
    assert_permanent(
        &[
            GREETING,
            HELLO,
            OK,
            OK,
            START_TEXT,
            "552-5.2.2 Over\r\n552 5.2.2 quota\r\n",
        ],
        "552 5.2.2 Over 5.2.2 quota",
    );
}

#[test]
fn a_server_that_is_busy_may_accept_the_mail_later() {
    assert_temporary(
        &["421 Too many connections\r\n"],
        "greeting was 421 Too many",
    );
    assert_temporary(&[GREETING, "421 Closing\r\n"], "EHLO was 421");
    assert_temporary(&[GREETING, HELLO, "451 4.3.0 Try again\r\n"], "MAIL FROM");
    assert_temporary(
        &[GREETING, HELLO, OK, "450 4.2.0 Greylisted\r\n"],
        "450 4.2.0 Greylisted",
    );
    assert_temporary(
        &[GREETING, HELLO, OK, OK, START_TEXT, "451 4.7.1 Later\r\n"],
        "451 4.7.1 Later",
    );
}

#[test]
fn a_server_that_rejects_the_client_or_the_sender_is_an_error_of_the_settings() {
    assert_temporary(&["554 No SMTP service here\r\n"], "554 No SMTP");
    assert_temporary(&[GREETING, "550 Who are you\r\n"], "550 Who");
    assert_temporary(
        &[GREETING, HELLO, "553 5.7.1 Not your address\r\n"],
        "MAIL_FROM",
    );
    assert_temporary(&[GREETING, HELLO, OK, "530 5.7.0 Log in first\r\n"], "530");
}

#[test]
fn garbage_is_shown_shortened_and_without_control_characters() {
    assert_temporary(
        &["HTTP/1.1 400 Bad Request\r\n"],
        "HTTP/1.1 400 Bad Request",
    );
    assert_temporary(&[GREETING, "250\u{1b}[2J\r\n"], "not a reply");
    assert_temporary(
        &[GREETING, HELLO, OK, OK, "250 what?\r\n"],
        "DATA is not a reply",
    );
    let (outcome, _) = send(&[GREETING, HELLO, OK, "550 \u{1b}[31m\tred\u{7}\r\n"]);
    let text = outcome.unwrap_err().to_string();
    assert!(text.ends_with("550 [31m red"), "{text:?}");
}

#[test]
fn a_line_without_an_end_is_not_read_further() {
    static LONG_LINE: LazyLock<String> = LazyLock::new(|| "2".repeat(100_000));
    static REPLIES: LazyLock<[&str; 1]> = LazyLock::new(|| [LONG_LINE.as_str()]);
    assert_temporary(&*REPLIES, "too long");
}

#[test]
fn a_reply_without_an_end_is_not_read_further() {
    static LINES: LazyLock<String> = LazyLock::new(|| "250-x\r\n".repeat(101));
    static REPLIES: LazyLock<[&str; 2]> = LazyLock::new(|| [GREETING, LINES.as_str()]);
    assert_temporary(&*REPLIES, "not a reply");
}

#[test]
fn a_server_that_closes_the_connection_may_accept_the_mail_later() {
    assert_temporary(&[], "closed the connection");
    assert_temporary(&[""], "closed the connection");
    assert_temporary(&["220 mx"], "closed the connection");
    assert_temporary(
        &[GREETING, HELLO, OK, OK, START_TEXT, ""],
        "the text of the mail",
    );
}

#[test]
fn a_server_that_is_silent_is_given_up_in_time() {
    for replies in [
        &[][..],
        &[GREETING],
        &[GREETING, HELLO, OK, OK, START_TEXT],
        &[GREETING, "250-x\r\n"],
    ] {
        let server = ScriptedServer::start(replies, AfterScript::Silence);
        let url = format!("smtp://127.0.0.1:{}?tls=none", server.port);
        let start = Instant::now();
        let outcome = client(&url, SHORT).send(&mail());
        assert!(start.elapsed() < LONG / 2, "{:?}", start.elapsed());
        let error = outcome.unwrap_err();
        assert!(matches!(error, SendError::Temporary(_)), "{error:?}");
        assert!(
            error.to_string().contains("did not reply in time"),
            "{error}"
        );
        server.received();
    }
}

#[test]
fn a_server_that_never_completes_the_tls_handshake_is_given_up_in_time() {
    const STARTTLS: &str = "250-mx\r\n250 STARTTLS\r\n";
    for (scheme, parameters, replies) in [
        ("smtps", "", &[][..]),
        ("smtp", "?tls=required", &[GREETING, STARTTLS, OK]),
    ] {
        let server = ScriptedServer::start(replies, AfterScript::Silence);
        let url = format!("{scheme}://localhost:{}{parameters}", server.port);
        let start = Instant::now();
        let error = client(&url, SHORT).send(&mail()).unwrap_err();
        assert!(start.elapsed() < LONG / 2, "{:?}", start.elapsed());
        assert!(matches!(error, SendError::Temporary(_)), "{error:?}");
        assert!(
            error.to_string().contains("did not reply in time"),
            "{error}"
        );
        server.received();
    }
}

#[test]
fn a_mail_accepted_by_a_server_that_then_falls_silent_is_delivered() {
    let replies = &[GREETING, HELLO, OK, OK, START_TEXT, QUEUED];
    let server = ScriptedServer::start(replies, AfterScript::Silence);
    let url = format!("smtp://127.0.0.1:{}?tls=none", server.port);
    let outcome = client(&url, LONG).send(&mail());
    assert_eq!(outcome, Ok("250 2.0.0 Ok: queued as 4XYZ".to_owned()));
    assert_eq!(server.received().last().map(String::as_str), Some("QUIT"));
}

#[test]
fn a_host_without_an_address_or_a_listener_may_be_reached_later() {
    // A bound port on which nothing listens.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket
        .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    let too_long_label = "x".repeat(64);
    for url in [
        format!("smtp://127.0.0.1:{port}"),
        format!("smtps://{too_long_label}.example"),
    ] {
        let error = client(&url, LONG).send(&mail()).unwrap_err();
        assert!(matches!(error, SendError::Temporary(_)), "{error:?}");
        assert!(error.to_string().contains("cannot connect"), "{error}");
    }
}
