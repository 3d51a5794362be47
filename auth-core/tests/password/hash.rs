//! Tests the format, the cost and the rehashing of stored bcrypt hashes.

use std::time::{Duration, Instant};

use auth_core::Error;
use auth_core::password::{Cost, PasswordHash};
use bcrypt::{HashParts, Version};

use crate::{COST, attempt, cost, hash, matches};

#[test]
fn bcrypt_hashes_2a_2b_and_2y_verify_and_2a_and_2y_need_a_rehash() {
    let parts: HashParts = hash("correct horse").as_str().parse().unwrap();
    for (version, needs_rehash) in [
        (Version::TwoB, false),
        (Version::TwoA, true),
        (Version::TwoY, true),
    ] {
        let stored_hash = PasswordHash::parse(&parts.format_for_version(version)).unwrap();
        assert!(
            matches("correct horse", &stored_hash),
            "{}",
            stored_hash.as_str()
        );
        assert!(
            !matches("wrong horse", &stored_hash),
            "{}",
            stored_hash.as_str()
        );
        assert_eq!(
            stored_hash.needs_rehash(cost()),
            needs_rehash,
            "{}",
            stored_hash.as_str()
        );
    }
    let version_2x = parts.format_for_version(Version::TwoX);
    assert_eq!(
        PasswordHash::parse(&version_2x),
        Err(Error::InvalidPasswordHash)
    );
}

#[test]
fn a_hash_of_another_cost_needs_a_rehash() {
    let stored_hash = hash("correct horse");
    assert!(!stored_hash.needs_rehash(cost()));
    assert!(
        stored_hash.needs_rehash(Cost::new(COST + 1).unwrap()),
        "too cheap"
    );
    let expensive_hash = PasswordHash::unmatchable(Cost::new(15).unwrap());
    assert!(expensive_hash.needs_rehash(cost()), "too expensive");
}

#[test]
fn a_short_password_that_matched_is_rehashed() {
    let stored_hash = PasswordHash::parse(&bcrypt::hash("short", COST).unwrap()).unwrap();
    let attempt = attempt("short");
    assert!(attempt.matches(&stored_hash).unwrap());
    let higher_cost = Cost::new(COST + 1).unwrap();
    let new_hash = attempt.rehash(higher_cost).unwrap();
    assert!(!new_hash.needs_rehash(higher_cost));
    assert!(matches("short", &new_hash) && !matches("other", &new_hash));
}

#[test]
fn the_cost_is_4_to_15_and_12_by_default() {
    for number in [0, 3, 16, 17, 31, u32::MAX] {
        assert!(
            matches!(Cost::new(number), Err(Error::InvalidSetting(_))),
            "{number}"
        );
    }
    for number in [4, 5, 14, 15] {
        assert_eq!(Cost::new(number).map(Cost::get), Ok(number));
    }
    assert_eq!(Cost::default().get(), 12);
}

#[test]
fn a_stored_cost_outside_4_to_15_is_rejected_without_hashing() {
    let tail = &hash("correct horse").as_str()[6..].to_owned();
    for digits in ["04", "05", "14", "15"] {
        let result = PasswordHash::parse(&format!("$2b${digits}{tail}"));
        assert!(result.is_ok(), "{digits}");
    }
    let started_at = Instant::now();
    for digits in [
        "00", "03", "16", "20", "31", "99", "+4", "-4", " 4", "4 ", "0x", "４",
    ] {
        let result = PasswordHash::parse(&format!("$2b${digits}{tail}"));
        assert_eq!(result, Err(Error::InvalidPasswordHash), "{digits}");
    }
    assert!(started_at.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_corrupt_hash_is_rejected_without_a_panic() {
    let valid_hash = hash("correct horse").as_str().to_owned();
    let (head, tail) = valid_hash.split_at(30);
    for (name, text) in [
        ("an empty text", String::new()),
        ("a password", "correct horse".to_owned()),
        ("one character fewer", valid_hash[..59].to_owned()),
        ("one character more", format!("{valid_hash}.")),
        ("a line feed", format!("{valid_hash}\n")),
        ("a space at the start", format!(" {}", &valid_hash[..59])),
        ("a NUL inside", format!("{head}\0{}", &tail[1..])),
        ("a = inside", format!("{head}={}", &tail[1..])),
        (
            "a two-byte letter, 60 bytes",
            format!("{head}é{}", &tail[2..]),
        ),
        (
            "a two-byte letter, 60 characters",
            format!("{head}é{}", &tail[1..]),
        ),
        (
            "a letter across the salt's end",
            format!("{}é{}", &valid_hash[..28], &valid_hash[30..]),
        ),
        (
            "a letter across the cost",
            format!("$2b$0é{}", &valid_hash[7..]),
        ),
        (
            "a letter across the prefix",
            format!("$2é{}", &valid_hash[4..]),
        ),
        ("sixty two-byte letters", "é".repeat(60)),
        ("thirty two-byte letters, 60 bytes", "é".repeat(30)),
        ("sixty dollars", "$".repeat(60)),
        ("another scheme", format!("$argon2id${}", &valid_hash[10..])),
        ("md5-crypt", format!("$1$b${}", &valid_hash[5..])),
        (
            "no dollar behind the cost",
            format!("$2b$04.{}", &valid_hash[7..]),
        ),
        ("upper case", valid_hash.replacen("$2b$", "$2B$", 1)),
    ] {
        let result = PasswordHash::parse(&text);
        assert_eq!(result, Err(Error::InvalidPasswordHash), "{name}: {text}");
    }
}

#[test]
fn the_unmatchable_hash_is_well_formed_and_matches_no_password() {
    for number in [4, 12, 15] {
        let cost = Cost::new(number).unwrap();
        let unmatchable_hash = PasswordHash::unmatchable(cost);
        let parts: HashParts = unmatchable_hash.as_str().parse().unwrap();
        assert_eq!(parts.get_cost(), number);
        assert_eq!(parts.to_string(), unmatchable_hash.as_str());
        let result = PasswordHash::parse(unmatchable_hash.as_str());
        assert_eq!(result.as_ref(), Ok(&unmatchable_hash));
        assert!(!unmatchable_hash.needs_rehash(cost));
    }
    // An error would mean that bcrypt had rejected the hash at once. The result `Ok(false)` takes the time of a check.
    let cheap_hash = PasswordHash::unmatchable(cost());
    for text in ["correct horse", "e", &"e".repeat(128), "\0"] {
        assert_eq!(attempt(text).matches(&cheap_hash), Ok(false), "{text:?}");
    }
}

#[test]
fn two_hashes_have_different_salts_and_the_documented_format() {
    let (first_hash, second_hash) = (hash("correct horse"), hash("correct horse"));
    assert_ne!(first_hash, second_hash);
    assert!(first_hash.as_str().starts_with("$2b$04$") && first_hash.as_str().len() == 60);
}
