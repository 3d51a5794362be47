//! Tests that a mail token verifies with the values for which it was made, and with no others.

mod code;
mod content;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::mail_token::{MailPurpose, MailToken, MailTokens};
use auth_core::refresh::{RefreshToken, RefreshTokens};
use auth_core::session_handle::SessionHandles;
use auth_core::session_token::SessionTokens;
use auth_core::{Error, Keyring};
use proptest::prelude::*;

use crate::fixtures::{NOW, OTHER_SECRET, SECRET, keyring, now, secret, valid_token, verify};

const EXPIRY: u64 = NOW + 3600;
const EMAIL: &str = "ada@example.com";
const MAIL_KEY: &str = "mK4hT8cWz1Yb6Jp3Rv9Xn2Qd7Lf5Gs0AeUiOoYtRw_-";
const OTHER_MAIL_KEY: &str = "xK4hT8cWz1Yb6Jp3Rv9Xn2Qd7Lf5Gs0AeUiOoYtRw_-";
const USER_ID: &str = "0198f2d4-7c1e-7bb3-9a55-3c9a1f6f2b10";
const WEAK_MAIL_KEY: Error = Error::WeakSecret(
    "the mail key of a user must have at least 32 characters; generate a random one",
);
const PURPOSES: [MailPurpose; 5] = [
    MailPurpose::PasswordReset,
    MailPurpose::EmailVerification,
    MailPurpose::EmailChange,
    MailPurpose::EmailChangeUndo,
    MailPurpose::AccountDeletion,
];

fn tokens() -> MailTokens {
    MailTokens::new(&keyring())
}

fn reset_token() -> MailToken {
    MailToken {
        purpose: MailPurpose::PasswordReset,
        user_id: USER_ID.to_owned(),
        expires_at: EXPIRY,
        detail: String::new(),
    }
}

fn change_token() -> MailToken {
    MailToken {
        purpose: MailPurpose::EmailChange,
        user_id: "42".to_owned(),
        expires_at: EXPIRY,
        detail: "bücher@example.org".to_owned(),
    }
}

fn encode(token: &MailToken) -> String {
    tokens().encode(token, EMAIL, MAIL_KEY).unwrap()
}

/// Parses and verifies a token for the purpose that the token states.
fn verify_with(
    tokens: &MailTokens,
    text: &str,
    email: &str,
    mail_key: &str,
    now: SystemTime,
) -> Result<MailToken, Error> {
    let unverified = MailTokens::parse(text)?;
    let purpose = unverified.purpose();
    tokens.verify(unverified, purpose, email, mail_key, now)
}

fn verify_text(text: &str) -> Result<MailToken, Error> {
    verify_with(&tokens(), text, EMAIL, MAIL_KEY, now())
}

fn any_token() -> impl Strategy<Value = MailToken> {
    let texts = ("\\PC{1,60}", "\\PC{0,60}");
    let purpose = prop::sample::select(PURPOSES.to_vec());
    (purpose, texts, NOW + 1..).prop_map(|(purpose, (user_id, detail), expires_at)| MailToken {
        purpose,
        user_id,
        expires_at,
        detail,
    })
}

/// Python's `hmac` computed the expected values. In Python, with `field(b) = struct.pack(">Q", len(b)) + b`,
/// `text(b) = struct.pack(">H", len(b)) + b` and `mac(key, message)` for HMAC-SHA-256:
///
/// ```text
/// key = mac(mac(bytes(32), SECRET), b"auth-core mail token v1\x01")          # HKDF-SHA-256 without salt, RFC 5869
/// payload = bytes([1, purpose]) + struct.pack(">Q", expires_at) + text(user_id) + text(detail)
/// tag = mac(key, field(b"token") + field(payload) + field(EMAIL) + field(MAIL_KEY))
/// token = base64url(payload) + "." + base64url(tag)
/// ```
#[test]
fn a_token_equals_the_token_of_another_implementation() {
    for (token, expected) in [
        (
            reset_token(),
            "AQEAAAAAa0ngEAAkMDE5OGYyZDQtN2MxZS03YmIzLTlhNTUtM2M5YTFmNmYyYjEwAAA.RxVpLd74Kc_iohleHtRKan5VQ2nNCAlkKGhtI5VRICw",
        ),
        (
            change_token(),
            "AQMAAAAAa0ngEAACNDIAE2LDvGNoZXJAZXhhbXBsZS5vcmc.kb0IGuGO3gtiaSh_BGg7-QGuJ2iLZbUQCUnilAOgDCY",
        ),
    ] {
        assert_eq!(encode(&token), expected);
        assert_eq!(verify_text(expected), Ok(token));
    }
}

#[test]
fn another_email_address_or_mail_key_does_not_verify() {
    let text = encode(&reset_token());
    let extended_key = format!("{MAIL_KEY}A");
    for (email, mail_key) in [
        ("eve@example.com", MAIL_KEY),
        ("Ada@example.com", MAIL_KEY),
        ("ada@example.co", MAIL_KEY),
        ("", MAIL_KEY),
        (EMAIL, OTHER_MAIL_KEY),
        (EMAIL, &extended_key),
        (EMAIL, &MAIL_KEY[1..]),
        (MAIL_KEY, MAIL_KEY),
    ] {
        let result = verify_with(&tokens(), &text, email, mail_key, now());
        assert_eq!(result, Err(Error::SignatureMismatch), "{email} {mail_key}");
    }
    // The end of the email address moved to the mail key.
    let moved_key = format!("m{MAIL_KEY}");
    let result = verify_with(&tokens(), &text, "ada@example.co", &moved_key, now());
    assert_eq!(result, Err(Error::SignatureMismatch));
}

/// Combines the payload of each changed token with the MAC of the original.
#[test]
fn a_changed_purpose_user_expiry_or_detail_does_not_verify() {
    let original = change_token();
    let (_, mac) = encode(&original)
        .split_once('.')
        .map(|(payload, mac)| (payload.to_owned(), mac.to_owned()))
        .unwrap();
    let mut changed_tokens: Vec<MailToken> = PURPOSES
        .map(|purpose| MailToken {
            purpose,
            ..original.clone()
        })
        .into_iter()
        .filter(|token| token.purpose != original.purpose)
        .collect();
    for user_id in ["43", "4", "420", "42\0"] {
        changed_tokens.push(MailToken {
            user_id: user_id.to_owned(),
            ..original.clone()
        });
    }
    for expires_at in [EXPIRY - 1, EXPIRY + 1, u64::MAX] {
        changed_tokens.push(MailToken {
            expires_at,
            ..original.clone()
        });
    }
    for detail in ["", "eve@example.org", "bücher@example.or"] {
        changed_tokens.push(MailToken {
            detail: detail.to_owned(),
            ..original.clone()
        });
    }
    for changed_token in changed_tokens {
        let changed_text = encode(&changed_token);
        assert_eq!(verify_text(&changed_text), Ok(changed_token.clone()));
        let (changed_payload, _) = changed_text.split_once('.').unwrap();
        let forged_text = format!("{changed_payload}.{mac}");
        assert_eq!(
            verify_text(&forged_text),
            Err(Error::SignatureMismatch),
            "{changed_token:?}"
        );
    }
}

#[test]
fn a_token_of_one_purpose_is_not_accepted_for_another() {
    for purpose in PURPOSES {
        let token = MailToken {
            purpose,
            ..reset_token()
        };
        let text = encode(&token);
        for expected_purpose in PURPOSES {
            let unverified = MailTokens::parse(&text).unwrap();
            let result = tokens().verify(unverified, expected_purpose, EMAIL, MAIL_KEY, now());
            if expected_purpose == purpose {
                assert_eq!(result, Ok(token.clone()));
            } else {
                assert_eq!(result, Err(Error::InvalidClaim("purpose")));
            }
        }
    }
}

#[test]
fn a_token_expires_in_the_second_of_its_expiry() {
    let text = encode(&reset_token());
    let expiry = UNIX_EPOCH + Duration::from_secs(EXPIRY);
    let just_before = expiry - Duration::from_nanos(1);
    for time in [expiry - Duration::from_secs(1), just_before, UNIX_EPOCH] {
        let result = verify_with(&tokens(), &text, EMAIL, MAIL_KEY, time);
        assert_eq!(result, Ok(reset_token()));
    }
    for time in [expiry, expiry + Duration::from_secs(1)] {
        let result = verify_with(&tokens(), &text, EMAIL, MAIL_KEY, time);
        assert_eq!(result, Err(Error::Expired));
    }
    // A forged token is reported as forged even after its expiry.
    let result = verify_with(&tokens(), &text, EMAIL, OTHER_MAIL_KEY, expiry);
    assert_eq!(result, Err(Error::SignatureMismatch));
}

#[test]
fn the_earliest_and_the_latest_expiry_are_compared_without_overflow() {
    let token = |expires_at| MailToken {
        expires_at,
        ..reset_token()
    };
    let before_1970 = UNIX_EPOCH - Duration::from_secs(10);
    for (expires_at, time, expected) in [
        (0, before_1970, Ok(token(0))),
        (0, UNIX_EPOCH, Err(Error::Expired)),
        (u64::MAX, now(), Ok(token(u64::MAX))),
    ] {
        let text = encode(&token(expires_at));
        let result = verify_with(&tokens(), &text, EMAIL, MAIL_KEY, time);
        assert_eq!(result, expected);
    }
}

#[test]
fn every_secret_of_a_keyring_verifies_and_the_current_secret_signs() {
    let new_keyring = Keyring::new(secret(OTHER_SECRET));
    let new_tokens = MailTokens::new(&new_keyring);
    let rotated_tokens = MailTokens::new(&new_keyring.with_previous([secret(SECRET)]));
    let old_text = encode(&reset_token());
    let new_text = rotated_tokens
        .encode(&reset_token(), EMAIL, MAIL_KEY)
        .unwrap();
    assert_eq!(
        new_tokens.encode(&reset_token(), EMAIL, MAIL_KEY),
        Ok(new_text.clone())
    );
    for text in [&old_text, &new_text] {
        let result = verify_with(&rotated_tokens, text, EMAIL, MAIL_KEY, now());
        assert_eq!(result, Ok(reset_token()));
    }
    assert_eq!(verify_text(&new_text), Err(Error::SignatureMismatch));
    let result = verify_with(&new_tokens, &old_text, EMAIL, MAIL_KEY, now());
    assert_eq!(result, Err(Error::SignatureMismatch));
}

#[test]
fn mail_tokens_and_other_tokens_are_not_interchangeable() {
    let text = encode(&reset_token());
    assert!(verify(&text).is_err());
    assert!(RefreshTokens::new(&keyring()).decode(&text).is_err());
    assert!(SessionHandles::new(&keyring()).decode(&text).is_err());
    let session_tokens = SessionTokens::new(&keyring());
    assert!(session_tokens.decode(&text).is_err());
    assert!(session_tokens.verify_cookie(&text).is_err());
    let refresh_token = RefreshTokens::new(&keyring()).encode(RefreshToken {
        session_id: [7; 16],
        counter: 0,
    });
    for other_token in [
        valid_token(),
        refresh_token,
        SessionHandles::new(&keyring()).encode([7; 16]),
        session_tokens.encode([7; 16]),
        session_tokens.sign_cookie([7; 16]),
    ] {
        assert!(verify_text(&other_token).is_err(), "{other_token}");
    }
}

#[test]
fn a_mail_key_has_at_least_32_characters() {
    let shortest_key = "k".repeat(32);
    let text = tokens()
        .encode(&reset_token(), EMAIL, &shortest_key)
        .unwrap();
    let result = verify_with(&tokens(), &text, EMAIL, &shortest_key, now());
    assert_eq!(result, Ok(reset_token()));
    for weak_key in ["", "k", &shortest_key[1..], &"é".repeat(31)] {
        let encoded = tokens().encode(&reset_token(), EMAIL, weak_key);
        assert_eq!(encoded, Err(WEAK_MAIL_KEY), "{weak_key}");
        let result = verify_with(&tokens(), &text, EMAIL, weak_key, now());
        assert_eq!(result, Err(WEAK_MAIL_KEY), "{weak_key}");
    }
}

#[test]
fn debug_output_shows_no_credential() {
    assert_eq!(format!("{:?}", tokens()), "MailTokens([redacted])");
    let unverified = MailTokens::parse(&encode(&reset_token())).unwrap();
    let output = format!("{unverified:?}");
    assert!(output.contains(USER_ID), "{output}");
    assert!(output.contains(r#"tag: "[redacted]""#), "{output}");
    assert!(!output.contains("payload"), "{output}");
}

proptest! {
    #[test]
    fn an_encoded_token_verifies(token in any_token(), email in "\\PC*", mail_key in "\\PC{32,60}") {
        let text = tokens().encode(&token, &email, &mail_key).unwrap();
        prop_assert!(text.len() <= 1024);
        let unverified = MailTokens::parse(&text).unwrap();
        prop_assert_eq!(unverified.purpose(), token.purpose);
        prop_assert_eq!(unverified.user_id(), &token.user_id);
        prop_assert_eq!(unverified.expires_at(), token.expires_at);
        prop_assert_eq!(unverified.detail(), &token.detail);
        let result = verify_with(&tokens(), &text, &email, &mail_key, now());
        prop_assert_eq!(result, Ok(token));
    }

    #[test]
    fn arbitrary_text_never_verifies(text in any::<String>(), base64url in "[A-Za-z0-9_-]{0,1200}\\.[A-Za-z0-9_-]{43}") {
        prop_assert!(verify_text(&text).is_err());
        prop_assert!(verify_text(&base64url).is_err());
    }

    #[test]
    fn arbitrary_email_addresses_mail_keys_and_times_never_panic(
        token in any_token(),
        email in any::<String>(),
        mail_key in any::<String>(),
        seconds in 0..=u64::from(u32::MAX),
    ) {
        let time = UNIX_EPOCH + Duration::from_secs(seconds);
        let text = encode(&token);
        prop_assert!(verify_with(&tokens(), &text, &email, &mail_key, time).is_err());
    }
}
