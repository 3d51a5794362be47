//! Tests which URLs are accepted, and that no error and no output contains a password.

use super::{EXPOSED_PASSWORD, Encryption, SmtpServer, UNENCRYPTED};

fn parse(text: &str) -> SmtpServer {
    match SmtpServer::parse(text) {
        Ok(server) => server,
        Err(remedy) => panic!("{text}: {remedy}"),
    }
}

#[test]
fn the_port_and_the_encryption_have_defaults() {
    for (text, printed, encryption) in [
        ("smtps://mx.example", "mx.example:465", Encryption::Implicit),
        (
            "smtps://mx.example:2465",
            "mx.example:2465",
            Encryption::Implicit,
        ),
        ("smtp://mx.example", "mx.example:587", Encryption::Required),
        ("smtp://mx.example/", "mx.example:587", Encryption::Required),
        (
            "smtp://mx.example:25?tls=required",
            "mx.example:25",
            Encryption::Required,
        ),
        (
            "smtp://MX.example?tls=opportunistic",
            "mx.example:25",
            Encryption::Opportunistic,
        ),
        ("smtp://localhost", "localhost:25", Encryption::None),
        (
            "smtp://localhost:1025?tls=none",
            "localhost:1025",
            Encryption::None,
        ),
        (
            "smtp://mail.localhost?tls=required",
            "mail.localhost:587",
            Encryption::Required,
        ),
        (
            "smtp://127.9.9.9?tls=none",
            "127.9.9.9:25",
            Encryption::None,
        ),
        ("smtp://[::1]:1025", "[::1]:1025", Encryption::None),
        (
            "smtp://[::ffff:127.0.0.1]",
            "[::ffff:127.0.0.1]:25",
            Encryption::None,
        ),
        (
            "smtps://[2001:db8::1]",
            "[2001:db8::1]:465",
            Encryption::Implicit,
        ),
        ("smtps://192.0.2.1", "192.0.2.1:465", Encryption::Implicit),
    ] {
        let server = parse(text);
        assert_eq!(server.to_string(), printed, "{text}");
        assert_eq!(server.encryption, encryption, "{text}");
        assert_eq!(server.credentials, None, "{text}");
    }
}

#[test]
fn user_and_password_are_decoded() {
    for (text, user, password) in [
        ("smtps://ada:hunter2@mx.example", "ada", "hunter2"),
        (
            "smtp://ada:hunter2@mx.example?tls=required",
            "ada",
            "hunter2",
        ),
        (
            "smtps://ada%40example.com:p%3A%2F%3F%23%25%20%C3%A4@mx.example",
            "ada@example.com",
            "p:/?#% ä",
        ),
        ("smtps://ada:a:b@mx.example", "ada", "a:b"),
        (
            "smtps://ada:!$&'()*+,;=-._~@mx.example",
            "ada",
            "!$&'()*+,;=-._~",
        ),
        ("smtp://ada:hunter2@localhost:1025", "ada", "hunter2"),
        (
            "smtp://ada:hunter2@127.0.0.1?tls=opportunistic",
            "ada",
            "hunter2",
        ),
    ] {
        let credentials = parse(text).credentials.unwrap();
        assert_eq!(credentials.user, user, "{text}");
        assert_eq!(credentials.password, password, "{text}");
    }
}

#[test]
fn user_and_password_are_never_printed() {
    let server = parse("smtps://ada-user:hunter2@mx.example");
    for printed in [
        format!("{server:?}"),
        format!("{server:#?}"),
        server.to_string(),
    ] {
        assert!(
            !printed.contains("hunter2") && !printed.contains("ada-user"),
            "{printed}"
        );
        assert!(printed.contains("mx.example"), "{printed}");
    }
}

#[test]
fn other_text_is_rejected_without_repeating_the_password() {
    for text in [
        "",
        "hunter2",
        "mx.example:587",
        "http://ada:hunter2@mx.example",
        "smtp:ada:hunter2@mx.example",
        "smtps://",
        "smtps://ada:hunter2@",
        "smtps://:hunter2@mx.example",
        "smtps://ada@mx.example",
        "smtps://ada:@mx.example",
        "smtps://ada:hunter2@mx.example:0",
        "smtps://ada:hunter2@mx.example:65536",
        "smtps://ada:hunter2@mx.example:smtp",
        "smtps://ada:hunter2@mx.example/path",
        "smtps://ada:hunter2@mx.example#x",
        "smtps://ada:hunter2@mx.example?tls=required",
        "smtps://ada:hunter2@mx.example?",
        "smtp://ada:hunter2@mx.example?tls=maybe",
        "smtp://ada:hunter2@mx.example?tls=required&x=1",
        "smtp://ada:hunter2@mx.example?TLS=required",
        "smtps://ada:hunter2@mx..example%2F",
        "smtps://ada:hunter2@[::1",
        "smtps://ada:hunter2@mx.example mx2.example",
        " smtps://ada:hunter2@mx.example",
        "smtps://ada:hunter2@mx.example\n",
        "smtps://ada:hunt\ter2@mx.example",
    ] {
        let remedy = SmtpServer::parse(text).expect_err(text);
        assert!(!remedy.contains("hunter2"), "{text:?}: {remedy}");
    }
}

#[test]
fn special_characters_in_a_password_must_be_escaped() {
    for text in [
        "smtps://ada:a@b@mx.example",
        "smtps://ada:a/b@mx.example",
        "smtps://ada:1/b@mx.example",
        "smtps://ada:1?b@mx.example",
        "smtps://ada:1#b@mx.example",
        "smtps://ada:a\\b@mx.example",
        "smtps://ada:a%@mx.example",
        "smtps://ada:a%4@mx.example",
        "smtps://ada:a%zz@mx.example",
        "smtps://ada:ä@mx.example",
        "smtps://ada:%FF@mx.example",
        "smtps://ada:a%00b@mx.example",
        "smtps://ada:a%0D%0Ab@mx.example",
        "smtps://a%0Ada:b@mx.example",
    ] {
        assert!(SmtpServer::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_server_elsewhere_gets_neither_mails_nor_a_password_without_tls() {
    for host in [
        "mx.example",
        "192.0.2.1",
        "[2001:db8::1]",
        "localhost.example",
    ] {
        let unencrypted = format!("smtp://{host}?tls=none");
        assert_eq!(SmtpServer::parse(&unencrypted), Err(UNENCRYPTED));
        let stripped = format!("smtp://ada:hunter2@{host}?tls=opportunistic");
        assert_eq!(SmtpServer::parse(&stripped), Err(EXPOSED_PASSWORD));
    }
}
