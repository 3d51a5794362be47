//! Tests the structure of a composed mail by reading it again.

mod entity;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{Composer, OutgoingMail};
use crate::mail::address::parse_mailbox;
use crate::mail::kind::MailKind;
use crate::mail::language::Language;
use crate::mail::link::link;
use crate::mail::settings::MailSettings;
use entity::{Entity, decode_words};

const ID: &str = "01935d2f-7b1e-7c3a-9d7e-0a1b2c3d4e5f";

fn settings() -> MailSettings {
    MailSettings {
        smtp: None,
        from: parse_mailbox("Bücher & Söhne <No-Reply@bücher.example>").unwrap(),
        reply_to: None,
        templates: None,
        folder: PathBuf::new(),
    }
}

fn composer() -> Composer {
    Composer::new(&settings(), "https://api.example:8443").unwrap()
}

fn mail(kind: MailKind, language: Language) -> OutgoingMail<'static> {
    let created_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_438_709);
    let token = "x".repeat(300);
    OutgoingMail {
        id: ID,
        kind,
        language,
        recipient: "ada+tag@example.com",
        created_at,
        link: link(kind, "https://api.example:8443", None, &token),
        code: kind.has_code().then(|| "ABCD2345".to_owned()),
        expires_at: created_at + kind.lifetime(),
    }
}

fn compose(outgoing: &OutgoingMail<'_>) -> Entity {
    let sent = composer().compose(outgoing).unwrap();
    Entity::parse(std::str::from_utf8(sent.bytes()).unwrap())
}

#[test]
fn the_header_says_who_sent_what_when_and_that_no_person_did() {
    let entity = compose(&mail(MailKind::PasswordReset, Language::English));
    let expected = [
        ("auto-submitted", "auto-generated"),
        ("content-language", "en"),
        ("date", "Mon, 02 Mar 2026 08:05:09 +0000"),
        (
            "message-id",
            "<01935d2f-7b1e-7c3a-9d7e-0a1b2c3d4e5f@xn--bcher-kva.example>",
        ),
        ("mime-version", "1.0"),
        ("subject", "Choose a new password for api.example:8443"),
        ("to", "ada+tag@example.com"),
        ("x-auto-response-suppress", "All"),
    ];
    for (name, value) in expected {
        assert_eq!(entity.field(name), value, "{name}");
    }
    let from = entity.field("from");
    assert!(
        from.ends_with(" <No-Reply@xn--bcher-kva.example>"),
        "{from}"
    );
    assert!(decode_words(from).starts_with("Bücher & Söhne"), "{from}");
    assert_eq!(
        entity.header.len(),
        expected.len() + 2,
        "{:?}",
        entity.header
    );
}

#[test]
fn the_body_is_text_and_the_same_in_html() {
    for language in Language::ALL {
        for kind in MailKind::ALL {
            let outgoing = mail(kind, language);
            let entity = compose(&outgoing);
            assert!(
                entity
                    .field("content-type")
                    .starts_with("multipart/alternative;")
            );
            let parts = entity.parts();
            let types: Vec<_> = parts
                .iter()
                .map(|part| part.field("content-type"))
                .collect();
            assert_eq!(
                types,
                ["text/plain; charset=utf-8", "text/html; charset=utf-8"]
            );
            for part in parts {
                let body = part.decoded_body();
                for expected in [outgoing.link.as_deref(), outgoing.code.as_deref()] {
                    assert!(
                        body.contains(expected.unwrap_or_default()),
                        "{kind:?}: {body}"
                    );
                }
                assert!(body.contains("api.example:8443"), "{kind:?}: {body}");
            }
        }
    }
}

#[test]
fn a_german_subject_is_encoded_and_can_be_decoded() {
    let entity = compose(&mail(MailKind::PasswordReset, Language::German));
    let subject = decode_words(entity.field("subject"));
    assert_eq!(subject, "Neues Passwort für api.example:8443 wählen");
    assert_eq!(entity.field("content-language"), "de");
    let text = entity.parts()[0].decoded_body();
    assert!(text.contains("2. März 2026, 09:05 Uhr (UTC)"), "{text}");
}

#[test]
fn every_mail_is_ascii_in_lines_that_every_server_accepts() {
    let composer = composer();
    for language in Language::ALL {
        for kind in MailKind::ALL {
            let sent = composer.compose(&mail(kind, language)).unwrap();
            let text = std::str::from_utf8(sent.bytes()).unwrap();
            assert!(text.is_ascii(), "{kind:?}");
            assert!(text.ends_with("\r\n"), "{kind:?}");
            for line in text.split("\r\n") {
                assert!(line.len() <= 998, "{kind:?}: {line}");
                assert!(!line.contains(['\r', '\n', '\0']), "{kind:?}: {line:?}");
            }
        }
    }
}

#[test]
fn a_person_can_read_and_follow_the_link_in_the_source_of_an_english_mail() {
    let outgoing = mail(MailKind::PasswordReset, Language::English);
    let sent = composer().compose(&outgoing).unwrap();
    let source = String::from_utf8(sent.bytes().to_vec()).unwrap();
    let link = outgoing.link.unwrap();
    assert!(source.lines().any(|line| line == link), "{source}");
    assert!(
        source.contains("Content-Transfer-Encoding: 7bit"),
        "{source}"
    );
}

#[test]
fn the_envelope_has_one_recipient_and_the_sender() {
    let sent = composer()
        .compose(&mail(MailKind::EmailChange, Language::English))
        .unwrap();
    assert_eq!(sent.sender(), "No-Reply@xn--bcher-kva.example");
    assert_eq!(sent.recipient(), "ada+tag@example.com");
}

#[test]
fn a_second_attempt_has_the_same_message_id_and_date() {
    let outgoing = mail(MailKind::EmailChanged, Language::English);
    let (first, second) = (compose(&outgoing), compose(&outgoing));
    for name in ["message-id", "date", "subject"] {
        assert_eq!(first.field(name), second.field(name));
    }
}

#[test]
fn answers_go_to_the_address_of_the_settings() {
    let reply_to = parse_mailbox("\"Help, please\" <help@example.com>").unwrap();
    let settings = MailSettings {
        reply_to: Some(reply_to),
        ..settings()
    };
    let composer = Composer::new(&settings, "http://127.0.0.1:8080").unwrap();
    let sent = composer.compose(&mail(MailKind::PasswordChanged, Language::English));
    let text = String::from_utf8(sent.unwrap().bytes().to_vec()).unwrap();
    let entity = Entity::parse(&text);
    assert!(
        entity.field("reply-to").ends_with(" <help@example.com>"),
        "{text}"
    );
    assert!(text.contains("127.0.0.1:8080"), "{text}");
}

#[test]
fn no_recipient_adds_a_line_to_the_header_or_the_envelope() {
    for recipient in [
        "",
        "ada",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\nBcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "ada@example.com> SIZE=1",
        "<ada@example.com>",
        "\"a\r\nb\"@example.com",
        "jürgen@example.com",
        "ada@[127.0.0.1]",
    ] {
        let outgoing = OutgoingMail {
            recipient,
            ..mail(MailKind::PasswordReset, Language::English)
        };
        assert!(composer().compose(&outgoing).is_err(), "{recipient:?}");
    }
}

#[test]
fn every_address_that_users_may_have_is_the_recipient_unchanged() {
    let (local_part, label) = ("x".repeat(64), "a".repeat(63));
    let longest = format!("{local_part}@{label}.{label}.{}.example", "c".repeat(53));
    assert_eq!(longest.len(), 254);
    for recipient in [
        "ada+tag@example.com",
        "o'brien@example.com",
        "!#$%&'*+/=?^_`{|}~-.x@example.com",
        "ada@xn--bcher-kva.example",
        "a@b",
        &longest,
    ] {
        let outgoing = OutgoingMail {
            recipient,
            ..mail(MailKind::PasswordReset, Language::German)
        };
        let sent = composer().compose(&outgoing).unwrap();
        assert_eq!(sent.recipient(), recipient);
        let text = std::str::from_utf8(sent.bytes()).unwrap();
        assert_eq!(Entity::parse(text).field("to").trim(), recipient);
        assert!(text.lines().all(|line| line.len() <= 998), "{recipient}");
    }
}

#[test]
fn a_long_callback_url_leaves_every_line_short_and_the_link_whole() {
    let callback_url = format!("https://app.example/{}?a=ä&b=\"<'>", "x/".repeat(1000));
    let kind = MailKind::PasswordReset;
    let outgoing = OutgoingMail {
        link: link(kind, "https://api.example", Some(&callback_url), "T"),
        ..mail(kind, Language::English)
    };
    let sent = composer().compose(&outgoing).unwrap();
    let text = std::str::from_utf8(sent.bytes()).unwrap();
    assert!(text.lines().all(|line| line.len() <= 998));
    for part in Entity::parse(text).parts() {
        let body = part.decoded_body();
        assert!(body.contains(outgoing.link.as_deref().unwrap()), "{body}");
    }
}

#[test]
fn a_mail_without_its_link_or_its_code_is_not_composed() {
    for kind in MailKind::ALL {
        let complete = mail(kind, Language::English);
        let other_link = (!kind.carries_token()).then(|| "https://x.example".to_owned());
        let other_code = (!kind.has_code()).then(|| "ABCD2345".to_owned());
        let with_other_link = OutgoingMail {
            link: other_link,
            ..complete.clone()
        };
        let with_other_code = OutgoingMail {
            code: other_code,
            ..complete.clone()
        };
        for incomplete in [with_other_link, with_other_code] {
            assert!(composer().compose(&incomplete).is_err(), "{kind:?}");
        }
    }
}

proptest! {
    #[test]
    fn no_name_of_a_sender_adds_a_field_to_the_header(name in "\\PC{0,20}|[\"\\\\,:;<>@\\x00-\\x20a-z=?]{0,40}") {
        for text in [format!("{name} <a@b.example>"), format!("\"{name}\" <a@b.example>")] {
            let Ok(from) = parse_mailbox(&text) else { continue };
            let expected_name = from.name.clone().unwrap_or_default();
            let settings = MailSettings { from, ..settings() };
            let composer = Composer::new(&settings, "https://api.example").unwrap();
            let sent = composer.compose(&mail(MailKind::PasswordChanged, Language::English)).unwrap();
            let entity = Entity::parse(std::str::from_utf8(sent.bytes()).unwrap());
            prop_assert_eq!(entity.header.len(), 10);
            prop_assert!(entity.field("from").ends_with("a@b.example>") || expected_name.is_empty());
        }
    }
}

#[test]
fn the_test_mail_has_text_and_html_as_well() {
    let now = SystemTime::UNIX_EPOCH;
    let sent = composer().compose_test(ID, "ada@example.com", now).unwrap();
    let text = std::str::from_utf8(sent.bytes()).unwrap();
    let entity = Entity::parse(text);
    assert_eq!(entity.field("subject"), "Test mail from api.example:8443");
    assert_eq!(entity.parts().len(), 2);
    assert_eq!(sent.label(), "test");
}
