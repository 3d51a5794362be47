//! Tests when the connection is encrypted, and that no mail is sent to a server whose certificate is not valid.

use super::server::{AfterScript, ScriptedServer};
use super::{GREETING, HELLO, LONG, OK, QUEUED, START_TEXT, client, mail};
use crate::mail::smtp::SmtpClient;
use crate::mail::smtp_url::SmtpServer;
use crate::mail::transport::SendError;

const STARTTLS: &str = "250-mx.example\r\n250-STARTTLS\r\n250 AUTH LOGIN\r\n";
const WITH_LOGIN: &str = "250-mx.example\r\n250 AUTH PLAIN LOGIN\r\n";
const READY: &str = "220 Ready\r\n";
const LOGGED_IN: &str = "235 2.7.0 Hello\r\n";

#[test]
fn smtps_encrypts_from_the_first_byte_and_logs_in() {
    let replies = &[
        GREETING, WITH_LOGIN, LOGGED_IN, OK, OK, START_TEXT, QUEUED, "",
    ];
    let server = ScriptedServer::start_encrypted(replies);
    let url = format!("smtps://ada:hunter2@localhost:{}", server.port);
    client(&url, LONG).send(&mail()).unwrap();
    let received = server.received();
    assert_eq!(received[1], "AUTH PLAIN AGFkYQBodW50ZXIy");
    assert_eq!(received[2], "MAIL FROM:<no-reply@example.com>");
}

#[test]
fn starttls_encrypts_before_the_login() {
    // The first reply is empty, because the server sends no second greeting after the handshake.
    let encrypted_replies = &[
        "",
        "250-mx.example\r\n250-auth LOGIN\r\n250 SIZE 1000000\r\n",
        "334 VXNlcm5hbWU6\r\n",
        "334 UGFzc3dvcmQ6\r\n",
        LOGGED_IN,
        OK,
        OK,
        START_TEXT,
        QUEUED,
        "",
    ];
    let replies = &[GREETING, STARTTLS, READY];
    let server = ScriptedServer::start_with_starttls(replies, encrypted_replies);
    let url = format!("smtp://ada:hunter2@localhost:{}?tls=required", server.port);
    client(&url, LONG).send(&mail()).unwrap();
    let expected_lines = [
        "EHLO [127.0.0.1]",
        "STARTTLS",
        "EHLO [127.0.0.1]",
        "AUTH LOGIN",
        "YWRh",
        "aHVudGVyMg==",
        "MAIL FROM:<no-reply@example.com>",
    ];
    assert_eq!(server.received()[..7], expected_lines);
}

#[test]
fn a_certificate_of_an_unknown_authority_is_rejected() {
    let server = ScriptedServer::start_encrypted(&[GREETING]);
    let url = format!("smtps://ada:hunter2@localhost:{}", server.port);
    let client = SmtpClient::new(SmtpServer::parse(&url).unwrap()).unwrap();
    let error = client.send(&mail()).unwrap_err();
    assert!(matches!(error, SendError::Temporary(_)), "{error:?}");
    assert!(
        error.to_string().contains("TLS handshake failed"),
        "{error}"
    );
    assert_eq!(server.received(), [""; 0]);
}

#[test]
fn a_certificate_of_another_host_is_rejected() {
    let server = ScriptedServer::start_encrypted(&[GREETING]);
    let url = format!("smtps://127.0.0.1:{}", server.port);
    let error = client(&url, LONG).send(&mail()).unwrap_err();
    assert!(
        error.to_string().contains("TLS handshake failed"),
        "{error}"
    );
    assert_eq!(server.received(), [""; 0]);
}

#[test]
fn a_server_without_tls_gets_no_mail_if_tls_is_required() {
    let server = ScriptedServer::start(&[GREETING, HELLO, OK], AfterScript::Close);
    let url = format!("smtp://localhost:{}?tls=required", server.port);
    let error = client(&url, LONG).send(&mail()).unwrap_err();
    assert!(
        error.to_string().contains("does not offer STARTTLS"),
        "{error}"
    );
    assert_eq!(server.received(), ["EHLO [127.0.0.1]"]);
}

#[test]
fn a_server_that_replies_in_plain_text_to_a_handshake_is_rejected() {
    let server = ScriptedServer::start(&[GREETING], AfterScript::Silence);
    let url = format!("smtps://localhost:{}", server.port);
    let error = client(&url, LONG).send(&mail()).unwrap_err();
    assert!(matches!(error, SendError::Temporary(_)), "{error:?}");
    assert!(
        error.to_string().contains("TLS handshake failed"),
        "{error}"
    );
}

#[test]
fn text_that_arrives_before_the_handshake_is_not_read_as_encrypted() {
    const INJECTED: &str = "220 Ready\r\n250-mx.example\r\n250 AUTH PLAIN\r\n";
    let server = ScriptedServer::start(&[GREETING, STARTTLS, INJECTED], AfterScript::Silence);
    let url = format!("smtp://ada:hunter2@localhost:{}?tls=required", server.port);
    let error = client(&url, LONG).send(&mail()).unwrap_err();
    assert!(error.to_string().contains("250-mx.example"), "{error}");
    assert_eq!(server.received(), ["EHLO [127.0.0.1]", "STARTTLS"]);
}

#[test]
fn without_starttls_an_opportunistic_client_sends_the_mail_unencrypted() {
    let replies = &[GREETING, HELLO, OK, OK, START_TEXT, QUEUED, ""];
    let server = ScriptedServer::start(replies, AfterScript::Close);
    let url = format!("smtp://localhost:{}?tls=opportunistic", server.port);
    client(&url, LONG).send(&mail()).unwrap();
    assert_eq!(server.received()[1], "MAIL FROM:<no-reply@example.com>");
}

#[test]
fn a_rejected_password_is_an_error_of_the_settings_and_is_not_repeated() {
    let replies = &[GREETING, WITH_LOGIN, "535 5.7.8 Wrong password\r\n"];
    let server = ScriptedServer::start_encrypted(replies);
    let url = format!("smtps://ada:hunter2@localhost:{}", server.port);
    let error = client(&url, LONG).send(&mail()).unwrap_err();
    assert!(matches!(error, SendError::Temporary(_)), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("535 5.7.8 Wrong password") && text.contains("SMTP_URL"),
        "{text}"
    );
    assert!(
        !text.contains("hunter2") && !text.contains("AGFkYQ"),
        "{text}"
    );
}

#[test]
fn a_server_without_a_known_login_gets_no_mail() {
    let replies = &[GREETING, "250-mx\r\n250 AUTH XOAUTH2\r\n", OK];
    let server = ScriptedServer::start_encrypted(replies);
    let url = format!("smtps://ada:hunter2@localhost:{}", server.port);
    let error = client(&url, LONG).send(&mail()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("neither AUTH PLAIN nor AUTH LOGIN"),
        "{error}"
    );
    assert_eq!(server.received(), ["EHLO [127.0.0.1]"]);
}
