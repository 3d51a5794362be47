//! Tests that hashes of other programs verify and need a rehash, that malformed scrypt hashes are rejected, and that
//! every password that Better Auth accepts is accepted at login.

use std::time::{Duration, Instant};

use auth_core::Error;
use auth_core::password::{Password, PasswordAttempt, PasswordHash};

use crate::{attempt, cost};

/// Passwords and hashes. Node.js computed each hash as `salt + ":" + key.toString("hex")`, where `key` is
/// `scryptSync(password.normalize("NFKC"), salt, 64, {N: 16384, r: 16, p: 1, maxmem: 2 ** 26})`.
const KNOWN_HASHES: &[(&str, &str)] = &[
    (
        "correct horse battery staple",
        "ac7938d40cfc2307e2bf325d28e7884e:af849c32e3f760bf08b6a139a0ee1f52f73bf08037f5cfbff8444f755a15b0a11487259fa358104f6f3c1638bdbd0a21d0aea92f11adec8752c6d7c61a3fde98",
    ),
    (
        "ca\u{301}fe\u{301} \u{fb01}ne \u{2163}",
        "d6dafa7f02e02b23fd957d01ced03499:b41b563e5052d3299bae68983f94f7b72b0880004b8f466c4e3d6034a6a622e684c7700bc9bd5e2daeb4a0b478421521ee96c905c2f3dee4c44aaea2409857fc",
    ),
    (
        "😀😁😂🤣",
        "ba323c3f5b3f1b536461d41cc7f1ba60:2ef53e50677a4a586d726fcdac9490ba37c72fedf5d63c58777fcaf9dcaaf0149bdba1910c3930bdefcd8e265d37a74eacb85d8cd4c6367752c9a842732bcc98",
    ),
    (
        "a\0b\0c defg",
        "40a8712b29ac76182ed0c4f632b7d543:0d610bee24c7c797c86e130f887cfc3fb4f3ae40a8d74e6a3301eadd9a6c7233cc6861b32a62e254e24a1737fd3094276a7f4f374a4570be092957e4edcf58aa",
    ),
];
/// The hash of 128 times U+FDFA. No accepted password is longer in NFKC: 2304 characters, 18 for each U+FDFA.
const HASH_OF_LONGEST_PASSWORD: &str = "0f5264038205edfb1ac05fbb0e8c5e94:190c78219f6ae3ebbbc705bc2bd4a0e7f58463e65d2b520f1a4d81eac1e7c43776541d6ea8e1142b82b45068a8dbbda8e49e0b1f9c98d2e9bcac07e1cbbbecd2";

/// Asserts that the password matches the hash, and that the hash needs a rehash. Rehashes the password and asserts that
/// the new hash is bcrypt of this password.
fn assert_rehashed(password: &str, stored_hash: &PasswordHash) {
    assert_eq!(
        attempt(password).matches(stored_hash),
        Ok(true),
        "{password:?}"
    );
    assert!(stored_hash.needs_rehash(cost()), "{password:?}");
    let new_hash = attempt(password).rehash(cost()).unwrap();
    assert!(new_hash.as_str().starts_with("$2b$04$"), "{password:?}");
    assert!(!new_hash.needs_rehash(cost()), "{password:?}");
    assert_eq!(
        attempt(password).matches(&new_hash),
        Ok(true),
        "{password:?}"
    );
    assert_eq!(
        attempt("another").matches(&new_hash),
        Ok(false),
        "{password:?}"
    );
}

#[test]
fn scrypt_hashes_of_better_auth_verify_and_need_a_rehash() {
    let longest_password = "\u{fdfa}".repeat(128);
    for &(password, text) in KNOWN_HASHES
        .iter()
        .chain([&(longest_password.as_str(), HASH_OF_LONGEST_PASSWORD)])
    {
        for result in [PasswordHash::parse(text), PasswordHash::import(text)] {
            let stored_hash = result.unwrap();
            assert_eq!(stored_hash.as_str(), text);
            assert_rehashed(password, &stored_hash);
            assert_eq!(
                attempt("wrong").matches(&stored_hash),
                Ok(false),
                "{password:?}"
            );
        }
    }
}

#[test]
fn the_last_digit_of_a_scrypt_hash_is_compared() {
    let (password, text) = KNOWN_HASHES[0];
    let changed_text = format!("{}9", text.strip_suffix('8').unwrap());
    let changed_hash = PasswordHash::parse(&changed_text).unwrap();
    assert_eq!(attempt(password).matches(&changed_hash), Ok(false));
}

#[test]
fn malformed_scrypt_hashes_are_rejected_without_hashing() {
    let (salt, key) = KNOWN_HASHES[0].1.split_once(':').unwrap();
    let started_at = Instant::now();
    for text in [
        format!("{salt}:{}", key.to_uppercase()),
        format!("{}:{key}", salt.to_uppercase()),
        format!("{salt}0:{key}"),
        format!("{salt}:{key}00"),
        format!("{salt}{key}:"),
        format!(":{salt}{key}"),
        format!("{salt}:{key}:"),
        format!("{salt}:{key}\n"),
        format!("{salt};{key}"),
        format!("{}:{key}", "é".repeat(16)),
        format!("{}:{key}", "\0".repeat(32)),
        format!("{salt}:{}", "g".repeat(128)),
        ":".to_owned(),
        "0".repeat(161),
        "a:".repeat(1 << 20),
        format!("$s0$e0801${salt}${key}"),
    ] {
        for result in [PasswordHash::parse(&text), PasswordHash::import(&text)] {
            assert_eq!(result, Err(Error::InvalidPasswordHash));
        }
    }
    assert!(started_at.elapsed() < Duration::from_secs(10));
}

#[test]
fn every_password_that_better_auth_accepts_is_a_valid_attempt() {
    for (text, is_acceptable) in [
        ("\u{fdfa}".repeat(128), true),
        ("\u{fdfa}".repeat(129), false),
        ("😀".repeat(64), true),
        ("😀".repeat(65), true),
        ("\u{1f130}".repeat(128), true),
        ("ﬀ".repeat(128), true),
        ("a".repeat(128), true),
        ("a".repeat(129), false),
        // Better Auth rejects this text of 512 UTF-16 code units. This crate accepts its 128 characters in NFKC.
        ("α\u{313}\u{300}\u{345}".repeat(128), true),
        ("a".to_owned(), true),
    ] {
        let result = PasswordAttempt::new(&text);
        let first_character = text.chars().next();
        assert_eq!(
            result.is_ok(),
            is_acceptable,
            "{first_character:?} {}",
            text.len()
        );
    }
    // A new password has at most 128 characters in NFKC. This text has 256.
    assert!(Password::new(&"ﬀ".repeat(128)).is_err());
}

#[test]
fn plain_bcrypt_hashes_of_another_program_verify() {
    let (long_password, decomposed_password) = ("x".repeat(100), "cafe\u{301} cre\u{300}me");
    for password in [
        "correct horse",
        long_password.as_str(),
        decomposed_password,
        "a\0bcdefgh",
    ] {
        let plain_hash = bcrypt::hash(password, 4).unwrap();
        assert!(plain_hash.starts_with("$2b$"));
        let stored_hash = PasswordHash::import(&plain_hash).unwrap();
        assert_eq!(stored_hash.as_str(), plain_hash.replacen("$2b$", "$2y$", 1));
        assert_eq!(
            PasswordHash::parse(stored_hash.as_str()),
            Ok(stored_hash.clone())
        );
        assert_rehashed(password, &stored_hash);
        assert_eq!(
            attempt("wrong").matches(&stored_hash),
            Ok(false),
            "{password:?}"
        );
    }
    // Plain bcrypt reads only the first 72 bytes. A hash of this crate depends on every byte.
    let new_hash = attempt(&long_password).rehash(cost()).unwrap();
    let truncated_attempt = attempt(&"x".repeat(72));
    assert_eq!(truncated_attempt.matches(&new_hash), Ok(false));
    let imported_hash = PasswordHash::import(&bcrypt::hash(&long_password, 4).unwrap()).unwrap();
    assert_eq!(truncated_attempt.matches(&imported_hash), Ok(true));
}
