//! Tests which passwords are accepted and which passwords match a hash. Tests the documented input of bcrypt.

use std::time::{Duration, Instant};

use auth_core::Error;
use auth_core::password::{Password, PasswordAttempt, PasswordHash};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha384;

use crate::{COST, cost, hash, matches};

/// Computes the HMAC of a password in base64, as the documentation of `auth_core::password` describes.
fn hmac_of(password: &str) -> String {
    let mut mac = Hmac::<Sha384>::new_from_slice(b"auth-core password v1").unwrap();
    mac.update(password.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn is_unacceptable<T>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::UnacceptablePassword(_)))
}

/// Returns pairs of passwords that must not match each other. The name of a pair says what differs between the two.
fn different_passwords() -> Vec<(&'static str, String, String)> {
    let (bytes_71, bytes_72, letters_39) = ("a".repeat(71), "a".repeat(72), "é".repeat(39));
    let named_pair = |name, password: &str, other_password: &str| {
        (name, password.to_owned(), other_password.to_owned())
    };
    vec![
        (
            "the 73rd byte",
            format!("{bytes_72}X"),
            format!("{bytes_72}Y"),
        ),
        (
            "the 72nd byte",
            format!("{bytes_71}X"),
            format!("{bytes_71}Y"),
        ),
        (
            "an additional 73rd byte",
            bytes_72.clone(),
            format!("{bytes_72}a"),
        ),
        ("an additional 72nd byte", bytes_71, bytes_72),
        (
            "the 40th two-byte letter",
            format!("{letters_39}é"),
            format!("{letters_39}è"),
        ),
        ("the number of NULs", "\0".repeat(8), "\0".repeat(9)),
        named_pair("a NUL and a repetition", "Password", "Password\0Password"),
        named_pair("a NUL at the end", "Password", "Password\0"),
        named_pair("the text after a NUL", "abcd\0cdcd", "abcd\0efef"),
        named_pair("a space at the end", "Passwordé", "Passwordé "),
        named_pair("a space at the start", "Password", " Password"),
        named_pair("the case", "Password", "password"),
        named_pair(
            "the case of an accented letter",
            "Élodie-Élodie",
            "élodie-Élodie",
        ),
        named_pair("an accent", "Elodie-Elodie", "Élodie-Elodie"),
        named_pair("a zero-width joiner", "Password", "Pass\u{200d}word"),
    ]
}

#[test]
fn a_password_matches_itself_and_no_other_password() {
    for (name, password, other_password) in different_passwords() {
        let (hash_of_password, hash_of_other) = (hash(&password), hash(&other_password));
        assert!(matches(&password, &hash_of_password), "{name}: itself");
        assert!(matches(&other_password, &hash_of_other), "{name}: itself");
        assert!(!matches(&other_password, &hash_of_password), "{name}");
        assert!(
            !matches(&password, &hash_of_other),
            "{name}, the other way round"
        );
    }
}

#[test]
fn each_of_64_four_byte_characters_is_compared() {
    let characters = ["😀"; 64];
    let stored_hash = hash(&characters.concat());
    assert!(matches(&characters.concat(), &stored_hash));
    for index in 0..characters.len() {
        let mut changed_characters = characters;
        changed_characters[index] = "😁";
        assert!(
            !matches(&changed_characters.concat(), &stored_hash),
            "{index}"
        );
    }
}

#[test]
fn passwords_that_nfkc_makes_equal_match() {
    for (password, equal_password) in [
        ("Élodie-été", "E\u{301}lodie-e\u{301}te\u{301}"),
        ("ﬁnancial", "financial"),
        ("Ｐａｓｓｗｏｒｄ", "Password"),
        ("Ångström-Å", "A\u{30a}ngstro\u{308}m-\u{212b}"),
        ("가나다라마바사아", "\u{1100}\u{1161}나다라마바사아"),
        ("pass\u{a0}word", "pass word"),
    ] {
        assert!(matches(password, &hash(equal_password)), "{password}");
        assert!(matches(equal_password, &hash(password)), "{password}");
    }
}

/// The name of a unit of text, the unit, the number of units in the password, and whether the password is accepted.
type LengthCase = (&'static str, &'static str, usize, bool);

fn assert_acceptance(cases: &[LengthCase]) {
    for &(unit_name, unit, unit_count, is_accepted) in cases {
        let result = Password::new(&unit.repeat(unit_count));
        assert_eq!(result.is_ok(), is_accepted, "{unit_count} of {unit_name}");
        assert_eq!(
            is_unacceptable(&result),
            !is_accepted,
            "{unit_count} of {unit_name}"
        );
    }
}

#[test]
fn a_new_password_has_8_to_128_characters() {
    assert_acceptance(&[
        ("letters", "a", 0, false),
        ("letters", "a", 7, false),
        ("letters", "a", 8, true),
        ("letters", "a", 9, true),
        ("letters", "a", 127, true),
        ("letters", "a", 128, true),
        ("letters", "a", 129, false),
        ("four-byte characters", "😀", 7, false),
        ("four-byte characters", "😀", 8, true),
        ("four-byte characters", "😀", 128, true),
        ("four-byte characters", "😀", 129, false),
    ]);
}

#[test]
fn characters_of_a_new_password_are_counted_after_nfkc() {
    assert_acceptance(&[
        (
            "a letter and its accent, one together",
            "e\u{301}",
            7,
            false,
        ),
        ("a letter and its accent, one together", "e\u{301}", 8, true),
        (
            "a letter and its accent, one together",
            "e\u{301}",
            128,
            true,
        ),
        (
            "a letter and its accent, one together",
            "e\u{301}",
            129,
            false,
        ),
        (
            "a letter and three marks, one together",
            "α\u{313}\u{300}\u{345}",
            128,
            true,
        ),
        (
            "a letter and three marks, one together",
            "α\u{313}\u{300}\u{345}",
            129,
            false,
        ),
        ("a ligature, which is two", "ﬁ", 3, false),
        ("a ligature, which is two", "ﬁ", 4, true),
        ("a ligature, which is two", "ﬁ", 64, true),
        ("a ligature, which is two", "ﬁ", 65, false),
        ("a ligature of eighteen", "\u{fdfa}", 1, true),
        ("a ligature of eighteen", "\u{fdfa}", 7, true),
        ("a ligature of eighteen", "\u{fdfa}", 8, false),
    ]);
}

#[test]
fn an_attempt_has_1_to_128_characters() {
    for (character_count, is_accepted) in
        [(0, false), (1, true), (7, true), (128, true), (129, false)]
    {
        let result = PasswordAttempt::new(&"é".repeat(character_count));
        assert_eq!(result.is_ok(), is_accepted, "{character_count}");
        assert_eq!(is_unacceptable(&result), !is_accepted, "{character_count}");
    }
    assert!(!matches("short", &hash("long enough")));
}

#[test]
fn a_megabyte_is_rejected_in_linear_time() {
    let megabyte = "a".repeat(1 << 20);
    let many_accents = format!("e{}", "\u{301}".repeat(1 << 19));
    let started_at = Instant::now();
    for text in [&megabyte, &many_accents] {
        assert!(is_unacceptable(&Password::new(text)));
        assert!(is_unacceptable(&PasswordAttempt::new(text)));
    }
    assert!(started_at.elapsed() < Duration::from_secs(10));
}

#[test]
fn hmac_is_used_from_72_bytes_or_a_nul_and_any_bcrypt_can_verify_the_hash() {
    let bcrypt_verifies = |text: &str, hash: &PasswordHash| {
        bcrypt::non_truncating_verify(text, hash.as_str()).unwrap_or(false)
    };
    for (password, uses_hmac) in [
        ("a".repeat(8), false),
        ("a".repeat(70), false),
        ("a".repeat(71), false),
        ("a".repeat(72), true),
        ("a".repeat(73), true),
        ("é".repeat(35), false),
        ("é".repeat(36), true),
        ("aaaa\0aaaa".to_owned(), true),
    ] {
        let stored_hash = hash(&password);
        assert_eq!(
            bcrypt_verifies(&hmac_of(&password), &stored_hash),
            uses_hmac,
            "{password:?}"
        );
        assert_eq!(
            bcrypt_verifies(&password, &stored_hash),
            !uses_hmac,
            "{password:?}"
        );

        let bcrypt_input = if uses_hmac {
            hmac_of(&password)
        } else {
            password.clone()
        };
        let other_program_hash = bcrypt::hash(bcrypt_input, COST).unwrap();
        assert!(
            matches(
                &password,
                &PasswordHash::parse(&other_program_hash).unwrap()
            ),
            "{password:?}"
        );
    }
}

/// Another program computed the expected HMAC. If this HMAC changes, stored hashes of long passwords no longer verify.
#[test]
fn the_hmac_of_a_password_never_changes() {
    let password = "😀".repeat(64);
    let known_hmac = "/pA2sxhU7P2vXgDt+hMUv9xc2Sf+UIBfLg3la5zaErkd34srhpiJF1QydYZKSAzQ";
    assert_eq!(hmac_of(&password), known_hmac);
    let stored_hash = PasswordHash::parse(&bcrypt::hash(known_hmac, COST).unwrap()).unwrap();
    assert!(matches(&password, &stored_hash));
}

#[test]
fn a_new_password_is_a_valid_attempt() {
    let password = Password::new("correct horse").unwrap();
    let stored_hash = password.hash(cost()).unwrap();
    let attempt = PasswordAttempt::from(password);
    assert_eq!(attempt.matches(&stored_hash), Ok(true));
}

#[test]
fn debug_output_is_redacted() {
    let password = Password::new("correct horse").unwrap();
    let stored_hash = password.hash(cost()).unwrap();
    let attempt = PasswordAttempt::new("correct horse").unwrap();
    assert_eq!(format!("{password:?}"), "Password([redacted])");
    assert_eq!(format!("{attempt:?}"), "PasswordAttempt([redacted])");
    assert_eq!(format!("{stored_hash:?}"), "PasswordHash([redacted])");
}
