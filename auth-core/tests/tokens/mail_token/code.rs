//! Tests that a code verifies for its own challenge only, also in lower case and with spaces or hyphens.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::mail_token::{Challenge, MailCode, MailPurpose, MailTokens};
use auth_core::{Error, Keyring};
use proptest::prelude::*;

use super::{
    EMAIL, EXPIRY, MAIL_KEY, OTHER_MAIL_KEY, PURPOSES, USER_ID, WEAK_MAIL_KEY, encode, reset_token,
    tokens,
};
use crate::fixtures::{OTHER_SECRET, SECRET, now, secret};

const SYMBOLS: &str = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const MALFORMED: Error =
    Error::MalformedToken("A code has 8 letters and digits, without 0, 1, I and O");
const CHALLENGE: Challenge<'_> = Challenge {
    id: "0198f2d4-8a02-7d51-8f0e-5d2f4c7b9e21",
    purpose: MailPurpose::PasswordReset,
    user_id: USER_ID,
    expires_at: EXPIRY,
};

fn code(challenge: &Challenge<'_>) -> MailCode {
    tokens().code(challenge, EMAIL, MAIL_KEY).unwrap()
}

fn verify_code(entered: &str) -> Result<(), Error> {
    tokens().verify_code(&CHALLENGE, entered, EMAIL, MAIL_KEY, now())
}

/// Python's `hmac` computed the expected values. In Python, with the definitions in `mail_token.rs`:
///
/// ```text
/// fields = [b"code", challenge_id, bytes([purpose]), user_id, email, mail_key]
/// bits = int.from_bytes(mac(key, b"".join(map(field, fields)))[:5], "big")
/// code = "".join(SYMBOLS[bits >> 5 * index & 31] for index in range(7, -1, -1))
/// ```
#[test]
fn a_code_equals_the_code_of_another_implementation() {
    let other_challenge = Challenge {
        id: "c",
        purpose: MailPurpose::AccountDeletion,
        user_id: "42",
        expires_at: 0,
    };
    for (challenge, email, expected) in [
        (CHALLENGE, EMAIL, "XJGHPJ7G"),
        (other_challenge, "", "SBUDVJUS"),
    ] {
        let code = tokens().code(&challenge, email, MAIL_KEY).unwrap();
        assert_eq!(code.as_str(), expected);
    }
    assert_eq!(verify_code("XJGHPJ7G"), Ok(()));
}

#[test]
fn a_code_consists_of_8_symbols_and_every_symbol_occurs() {
    let mut seen_symbols = std::collections::BTreeSet::new();
    for number in 0..200 {
        let id = number.to_string();
        let code = code(&Challenge {
            id: &id,
            ..CHALLENGE
        });
        assert_eq!(code.as_str().chars().count(), 8);
        seen_symbols.extend(code.as_str().chars());
    }
    assert_eq!(seen_symbols.into_iter().collect::<String>(), SYMBOLS);
}

#[test]
fn lower_case_spaces_and_hyphens_make_no_difference() {
    for entered in [
        "XJGHPJ7G",
        "xjghpj7g",
        "XjGhPj7g",
        "XJGH-PJ7G",
        "XJGH PJ7G",
        " x j g h - p j 7 g ",
        "----XJGHPJ7G----",
    ] {
        assert_eq!(verify_code(entered), Ok(()), "{entered}");
    }
}

#[test]
fn text_other_than_8_symbols_is_malformed() {
    for entered in [
        "",
        "        ",
        "--------",
        "XJGHPJ7",
        "XJGHPJ7GG",
        "XJGHPJ7G2222222222222222",
        "XJGHPJ7G\n",
        "XJGH\tPJ7G",
        "XJGH\u{a0}PJ7G",
        "XJGH–PJ7G",
        "XJGH_PJ7G",
        "XJGHPJ7\0",
        "XJGHPJ70",
        "XJGHPJ71",
        "XJGHPJ7I",
        "XJGHPJ7O",
        "XJGHPJ7i",
        "XJGHPJ7o",
        "ſſſſſſſſ",
        "ＸＪＧＨＰＪ７Ｇ",
    ] {
        assert_eq!(verify_code(entered), Err(MALFORMED), "{entered:?}");
    }
    assert_eq!(verify_code(&"2".repeat(1_000_000)), Err(MALFORMED));
    assert_eq!(verify_code(&" ".repeat(1_000_000)), Err(MALFORMED));
}

#[test]
fn a_code_with_a_changed_symbol_does_not_match() {
    let code = code(&CHALLENGE);
    for index in 0..8 {
        for symbol in SYMBOLS.chars() {
            let (start, end) = (&code.as_str()[..index], &code.as_str()[index + 1..]);
            let entered = format!("{start}{symbol}{end}");
            let expected = if entered == code.as_str() {
                Ok(())
            } else {
                Err(Error::SignatureMismatch)
            };
            assert_eq!(verify_code(&entered), expected, "{entered}");
        }
    }
}

#[test]
fn the_code_of_another_challenge_purpose_or_user_does_not_match() {
    let mut other_challenges = vec![
        Challenge {
            id: "0198f2d4-8a02-7d51-8f0e-5d2f4c7b9e22",
            ..CHALLENGE
        },
        Challenge {
            user_id: "0198f2d4-7c1e-7bb3-9a55-3c9a1f6f2b11",
            ..CHALLENGE
        },
        // The start of the user id moved to the end of the challenge id.
        Challenge {
            id: "0198f2d4-8a02-7d51-8f0e-5d2f4c7b9e210",
            user_id: &USER_ID[1..],
            ..CHALLENGE
        },
    ];
    let other_purposes = PURPOSES.into_iter().filter(|p| *p != CHALLENGE.purpose);
    other_challenges.extend(other_purposes.map(|purpose| Challenge {
        purpose,
        ..CHALLENGE
    }));
    for other_challenge in other_challenges {
        let other_code = code(&other_challenge);
        assert_eq!(
            verify_code(other_code.as_str()),
            Err(Error::SignatureMismatch),
            "{other_challenge:?}"
        );
    }
}

#[test]
fn the_code_for_another_email_address_or_mail_key_does_not_match() {
    let entered = code(&CHALLENGE);
    for (email, mail_key) in [
        ("eve@example.com", MAIL_KEY),
        ("ADA@example.com", MAIL_KEY),
        ("", MAIL_KEY),
        (EMAIL, OTHER_MAIL_KEY),
    ] {
        let result = tokens().verify_code(&CHALLENGE, entered.as_str(), email, mail_key, now());
        assert_eq!(result, Err(Error::SignatureMismatch), "{email} {mail_key}");
    }
}

#[test]
fn a_code_expires_in_the_second_of_the_expiry() {
    let entered = code(&CHALLENGE);
    let verify_at = |time: SystemTime, entered: &str| {
        tokens().verify_code(&CHALLENGE, entered, EMAIL, MAIL_KEY, time)
    };
    let expiry = UNIX_EPOCH + Duration::from_secs(EXPIRY);
    let just_before = expiry - Duration::from_nanos(1);
    for time in [expiry - Duration::from_secs(1), just_before] {
        assert_eq!(verify_at(time, entered.as_str()), Ok(()));
    }
    for time in [expiry, expiry + Duration::from_secs(1)] {
        assert_eq!(verify_at(time, entered.as_str()), Err(Error::Expired));
        assert_eq!(verify_at(time, "22222222"), Err(Error::SignatureMismatch));
    }
}

#[test]
fn every_secret_of_a_keyring_verifies_and_the_current_secret_makes_the_code() {
    let new_keyring = Keyring::new(secret(OTHER_SECRET));
    let new_tokens = MailTokens::new(&new_keyring);
    let rotated_tokens = MailTokens::new(&new_keyring.with_previous([secret(SECRET)]));
    let (old_code, new_code) = (
        code(&CHALLENGE),
        rotated_tokens.code(&CHALLENGE, EMAIL, MAIL_KEY).unwrap(),
    );
    for entered in [&old_code, &new_code] {
        let result =
            rotated_tokens.verify_code(&CHALLENGE, entered.as_str(), EMAIL, MAIL_KEY, now());
        assert_eq!(result, Ok(()));
    }
    let result = new_tokens.verify_code(&CHALLENGE, new_code.as_str(), EMAIL, MAIL_KEY, now());
    assert_eq!(result, Ok(()));
    let result = new_tokens.verify_code(&CHALLENGE, old_code.as_str(), EMAIL, MAIL_KEY, now());
    assert_eq!(result, Err(Error::SignatureMismatch));
    assert_eq!(
        verify_code(new_code.as_str()),
        Err(Error::SignatureMismatch)
    );
}

#[test]
fn a_code_needs_a_mail_key_of_at_least_32_characters() {
    for weak_key in ["", &"k".repeat(31)] {
        let result = tokens().code(&CHALLENGE, EMAIL, weak_key);
        assert_eq!(result.map(|_code| ()), Err(WEAK_MAIL_KEY));
        let result = tokens().verify_code(&CHALLENGE, "22222222", EMAIL, weak_key, now());
        assert_eq!(result, Err(WEAK_MAIL_KEY));
    }
}

#[test]
fn the_text_of_a_token_is_no_code() {
    assert_eq!(verify_code(&encode(&reset_token())), Err(MALFORMED));
}

#[test]
fn debug_output_is_redacted() {
    assert_eq!(format!("{:?}", code(&CHALLENGE)), "MailCode([redacted])");
}

proptest! {
    #[test]
    fn every_code_verifies(id in any::<String>(), user_id in any::<String>(), email in any::<String>(), mail_key in "\\PC{32,50}") {
        let challenge = Challenge { id: &id, user_id: &user_id, ..CHALLENGE };
        let code = tokens().code(&challenge, &email, &mail_key).unwrap();
        prop_assert_eq!(tokens().verify_code(&challenge, code.as_str(), &email, &mail_key, now()), Ok(()));
    }

    #[test]
    fn arbitrary_text_is_rejected(text in any::<String>(), symbols in "[2-9A-HJ-NP-Z]{8}") {
        prop_assert!(verify_code(&text).is_err());
        prop_assume!(symbols != "XJGHPJ7G");
        prop_assert_eq!(verify_code(&symbols), Err(Error::SignatureMismatch));
    }
}
