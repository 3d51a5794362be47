//! Tests the tokens and codes in mails, and the pauses between attempts.

use std::fs;
use std::time::{Duration, SystemTime};

use auth_core::mail_token::{Challenge, MailPurpose, MailTokens};
use auth_core::{Keyring, Secret};

use super::{MailDispatcher, expiry_seconds, next_attempt_at};
use crate::db::Timestamp;
use crate::mail::address::parse_mailbox;
use crate::mail::kind::MailKind;
use crate::mail::language::Language;
use crate::mail::message::Composer;
use crate::mail::outbox::LeasedMail;
use crate::mail::recipient::{Recipient, TokenInputs};
use crate::mail::settings::MailSettings;
use crate::mail::transport::{SendError, Transport};

const MAIL_KEY: &str = "0123456789012345678901234567890123456789012";
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

fn created_at() -> Timestamp {
    Timestamp::parse("2026-11-20T12:57:51.869123Z").unwrap()
}

fn mail(kind: MailKind) -> LeasedMail {
    LeasedMail {
        id: "01a1f94f-16aa-7226-bd98-4498a57be982".to_owned(),
        kind,
        recipient: "ada@example.com".to_owned(),
        user_id: Some("user-1".to_owned()),
        language: None,
        new_email: None,
        callback_url: None,
        network: None,
        created_at: created_at(),
        expires_at: created_at().plus(kind.lifetime()),
        attempts: 0,
        leased_until: created_at(),
    }
}

fn recipient() -> Recipient {
    Recipient {
        user_id: "user-1".to_owned(),
        address: "ada@example.com".to_owned(),
        token_inputs: TokenInputs {
            email: "ada@example.com".to_owned(),
            key: MAIL_KEY.to_owned(),
            detail: String::new(),
        },
        language: Language::English,
    }
}

fn dispatcher(folder: &tempfile::TempDir) -> MailDispatcher {
    let settings = MailSettings {
        smtp: None,
        from: parse_mailbox("no-reply@api.example").unwrap(),
        reply_to: None,
        templates: None,
        folder: folder.path().join("mail"),
    };
    let public_url = "https://api.example".to_owned();
    MailDispatcher {
        composer: Composer::new(&settings, &public_url).unwrap(),
        transport: Transport::new(&settings).unwrap(),
        public_url,
    }
}

/// Writes the mail to a file in a new folder, and returns its text.
fn sent_text(mail: &LeasedMail, tokens: &MailTokens) -> String {
    let folder = tempfile::tempdir().unwrap();
    dispatcher(&folder)
        .send(mail, &recipient(), tokens)
        .unwrap();
    let mut entries = fs::read_dir(folder.path().join("mail")).unwrap();
    let path = entries.next().unwrap().unwrap().path();
    fs::read_to_string(path).unwrap()
}

fn new_tokens() -> MailTokens {
    MailTokens::new(&Keyring::new(Secret::generate().unwrap()))
}

#[test]
fn the_token_and_the_code_in_a_mail_are_valid_until_the_mail_expires() {
    let tokens = new_tokens();
    let mail = mail(MailKind::PasswordReset);
    let text = sent_text(&mail, &tokens);
    let (_, rest) = text.split_once("https://api.example/reset#").unwrap();
    let token = rest.split_whitespace().next().unwrap();
    let last_second = SystemTime::UNIX_EPOCH + Duration::from_secs(expiry_seconds(mail.expires_at))
        - Duration::from_nanos(1);
    let verify = |now| {
        let unverified = MailTokens::parse(token).unwrap();
        let purpose = MailPurpose::PasswordReset;
        tokens.verify(unverified, purpose, "ada@example.com", MAIL_KEY, now)
    };
    assert_eq!(verify(last_second).unwrap().user_id, "user-1");
    assert!(verify(last_second + Duration::from_nanos(1)).is_err());

    let challenge = Challenge {
        id: &mail.id,
        purpose: MailPurpose::PasswordReset,
        user_id: "user-1",
        expires_at: expiry_seconds(mail.expires_at),
    };
    let code = tokens
        .code(&challenge, "ada@example.com", MAIL_KEY)
        .unwrap();
    assert!(
        text.contains(&format!("\r\n{}\r\n", code.as_str())),
        "{text}"
    );
}

#[test]
fn the_token_of_a_change_names_the_address_that_the_account_gets() {
    let tokens = new_tokens();
    let folder = tempfile::tempdir().unwrap();
    let mut recipient = recipient();
    recipient.token_inputs.detail = "new@example.com".to_owned();
    for (kind, page) in [
        (MailKind::EmailChange, "change-email"),
        (MailKind::EmailChanged, "undo-email-change"),
    ] {
        let link = dispatcher(&folder).link(&mail(kind), &recipient, &tokens);
        let link = link.unwrap().unwrap();
        let (start, token) = link.split_once('#').unwrap();
        assert_eq!(start, format!("https://api.example/{page}"));
        let unverified = MailTokens::parse(token).unwrap();
        assert_eq!(unverified.detail(), "new@example.com");
        assert_eq!(Some(unverified.purpose()), kind.purpose());
    }
}

#[test]
fn a_notice_has_neither_a_token_nor_a_code() {
    let text = sent_text(&mail(MailKind::PasswordChanged), &new_tokens());
    assert!(!text.contains("api.example/reset#"), "{text}");
    assert!(text.contains("To: ada@example.com"), "{text}");
}

#[test]
fn an_address_that_no_mail_can_be_sent_to_is_a_permanent_failure() {
    let folder = tempfile::tempdir().unwrap();
    let recipient = Recipient {
        address: "ädä@example.com".to_owned(),
        ..recipient()
    };
    let result =
        dispatcher(&folder).send(&mail(MailKind::PasswordReset), &recipient, &new_tokens());
    assert!(matches!(result, Err(SendError::Permanent(_))), "{result:?}");
}

#[test]
fn the_pauses_between_attempts_double_up_to_an_hour() {
    let mail = mail(MailKind::PasswordChanged);
    let now = created_at().to_system_time();
    for (failures, pause) in [
        (1, MINUTE),
        (2, 2 * MINUTE),
        (3, 4 * MINUTE),
        (6, 32 * MINUTE),
        (7, HOUR),
        (8, HOUR),
        (40, HOUR),
        (i32::MAX, HOUR),
    ] {
        let next = next_attempt_at(&mail, failures, now);
        assert_eq!(next, Some(created_at().plus(pause)), "{failures}");
    }
}

#[test]
fn a_mail_is_given_up_after_two_days_or_when_its_token_has_expired() {
    for (kind, lifetime) in [
        (MailKind::PasswordChanged, 48 * HOUR),
        (MailKind::EmailVerification, 24 * HOUR),
        (MailKind::PasswordReset, HOUR),
        (MailKind::EmailChanged, 48 * HOUR),
    ] {
        let mail = mail(kind);
        let last_failure = created_at().plus(lifetime).minus(MINUTE);
        let just_before = last_failure.minus(Duration::from_micros(1));
        assert!(next_attempt_at(&mail, 1, just_before.to_system_time()).is_some());
        assert_eq!(
            next_attempt_at(&mail, 1, last_failure.to_system_time()),
            None,
            "{kind:?}"
        );
    }
}
