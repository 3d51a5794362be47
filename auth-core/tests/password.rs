//! bcrypt with nothing truncated: every character counts, and any bcrypt can check the result.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a helper that fails is a test that fails; what is cut is ASCII"
)]

use std::time::{Duration, Instant};

use auth_core::Error;
use auth_core::password::{Cost, Password, PasswordAttempt, PasswordHash};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bcrypt::{HashParts, Version};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha384;

/// The lowest; what is tested here does not depend on it.
const COST: u32 = 4;

fn cost() -> Cost {
    Cost::new(COST).unwrap()
}

fn hash(password: &str) -> PasswordHash {
    Password::new(password).unwrap().hash(cost()).unwrap()
}

fn matches(attempt: &str, hash: &PasswordHash) -> bool {
    let attempt = PasswordAttempt::new(attempt).unwrap();
    attempt.matches(hash).unwrap()
}

/// The documented reduction, made from the documentation.
fn reduced(password: &str) -> String {
    let mut mac = Hmac::<Sha384>::new_from_slice(b"auth-core password v1").unwrap();
    mac.update(password.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn is_unacceptable<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::UnacceptablePassword(_)))
}

/// Two passwords that must not be taken for each other, and what tells them apart.
fn different() -> Vec<(&'static str, String, String)> {
    let (a71, a72, e39) = ("a".repeat(71), "a".repeat(72), "é".repeat(39));
    let pair = |name, one: &str, other: &str| (name, one.to_owned(), other.to_owned());
    vec![
        ("the 73rd byte", format!("{a72}X"), format!("{a72}Y")),
        ("the 72nd byte", format!("{a71}X"), format!("{a71}Y")),
        ("a 73rd byte more", a72.clone(), format!("{a72}a")),
        ("a 72nd byte more", a71, a72),
        (
            "the 40th two-byte letter",
            format!("{e39}é"),
            format!("{e39}è"),
        ),
        ("NULs alone", "\0".repeat(8), "\0".repeat(9)),
        pair("a NUL and a repetition", "Password", "Password\0Password"),
        pair("a NUL behind", "Password", "Password\0"),
        pair("what stands behind a NUL", "abcd\0cdcd", "abcd\0efef"),
        pair("a space behind", "Passwordé", "Passwordé "),
        pair("a space in front", "Password", " Password"),
        pair("the case", "Password", "password"),
        pair(
            "the case of an accented letter",
            "Élodie-Élodie",
            "élodie-Élodie",
        ),
        pair("an accent", "Elodie-Elodie", "Élodie-Elodie"),
        pair("a zero-width joiner", "Password", "Pass\u{200d}word"),
    ]
}

#[test]
fn a_password_matches_itself_and_nothing_else() {
    for (name, one, other) in different() {
        let (of_one, of_other) = (hash(&one), hash(&other));
        assert!(matches(&one, &of_one), "{name}: itself");
        assert!(matches(&other, &of_other), "{name}: itself");
        assert!(!matches(&other, &of_one), "{name}");
        assert!(!matches(&one, &of_other), "{name}, the other way round");
    }
}

#[test]
fn each_of_64_four_byte_characters_counts() {
    let characters = ["😀"; 64];
    let hash = hash(&characters.concat());
    assert!(matches(&characters.concat(), &hash));
    for at in 0..characters.len() {
        let mut other = characters;
        other[at] = "😁";
        assert!(!matches(&other.concat(), &hash), "{at}");
    }
}

#[test]
fn forms_that_nfkc_makes_equal_are_equal() {
    for (one, other) in [
        ("Élodie-été", "E\u{301}lodie-e\u{301}te\u{301}"),
        ("ﬁnancial", "financial"),
        ("Ｐａｓｓｗｏｒｄ", "Password"),
        ("Ångström-Å", "A\u{30a}ngstro\u{308}m-\u{212b}"),
        ("가나다라마바사아", "\u{1100}\u{1161}나다라마바사아"),
        ("pass\u{a0}word", "pass word"),
    ] {
        assert!(matches(one, &hash(other)), "{one}");
        assert!(matches(other, &hash(one)), "{one}");
    }
}

#[test]
fn a_new_password_has_8_to_128_characters_counted_after_nfkc() {
    for (name, unit, units, accepted) in [
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
    ] {
        let answer = Password::new(&unit.repeat(units));
        assert_eq!(answer.is_ok(), accepted, "{units} of {name}");
        assert_eq!(is_unacceptable(&answer), !accepted, "{units} of {name}");
    }
}

#[test]
fn an_attempt_has_1_to_128_characters() {
    for (characters, accepted) in [(0, false), (1, true), (7, true), (128, true), (129, false)] {
        let answer = PasswordAttempt::new(&"é".repeat(characters));
        assert_eq!(answer.is_ok(), accepted, "{characters}");
        assert_eq!(is_unacceptable(&answer), !accepted, "{characters}");
    }
    assert!(!matches("short", &hash("long enough")));
}

#[test]
fn a_megabyte_is_refused_without_being_hashed() {
    let megabyte = "a".repeat(1 << 20);
    let accents = format!("e{}", "\u{301}".repeat(1 << 19));
    let start = Instant::now();
    for text in [&megabyte, &accents] {
        assert!(is_unacceptable(&Password::new(text)));
        assert!(is_unacceptable(&PasswordAttempt::new(text)));
    }
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn the_reduction_begins_at_72_bytes_or_a_nul_and_any_bcrypt_can_check_the_result() {
    let check = |text: &str, hash: &PasswordHash| {
        bcrypt::non_truncating_verify(text, hash.as_str()).unwrap_or(false)
    };
    for (password, is_reduced) in [
        ("a".repeat(8), false),
        ("a".repeat(70), false),
        ("a".repeat(71), false),
        ("a".repeat(72), true),
        ("a".repeat(73), true),
        ("é".repeat(35), false),
        ("é".repeat(36), true),
        ("aaaa\0aaaa".to_owned(), true),
    ] {
        let hash = hash(&password);
        assert_eq!(
            check(&reduced(&password), &hash),
            is_reduced,
            "{password:?}"
        );
        assert_eq!(check(&password, &hash), !is_reduced, "{password:?}");

        let foreign = if is_reduced {
            reduced(&password)
        } else {
            password.clone()
        };
        let foreign = bcrypt::hash(foreign, COST).unwrap();
        assert!(
            matches(&password, &PasswordHash::parse(&foreign).unwrap()),
            "{password:?}"
        );
    }
}

/// Computed by another program. If this fails, stored hashes no longer verify.
#[test]
fn the_reduction_is_the_same_for_ever() {
    let password = "😀".repeat(64);
    let known = "/pA2sxhU7P2vXgDt+hMUv9xc2Sf+UIBfLg3la5zaErkd34srhpiJF1QydYZKSAzQ";
    assert_eq!(reduced(&password), known);
    let hash = PasswordHash::parse(&bcrypt::hash(known, COST).unwrap()).unwrap();
    assert!(matches(&password, &hash));
}

#[test]
fn hashes_from_elsewhere_verify_and_are_due_for_rehashing() {
    let parts: HashParts = hash("correct horse").as_str().parse().unwrap();
    for (version, due) in [
        (Version::TwoB, false),
        (Version::TwoA, true),
        (Version::TwoY, true),
    ] {
        let stored = PasswordHash::parse(&parts.format_for_version(version)).unwrap();
        assert!(matches("correct horse", &stored), "{}", stored.as_str());
        assert!(!matches("wrong horse", &stored), "{}", stored.as_str());
        assert_eq!(stored.needs_rehash(cost()), due, "{}", stored.as_str());
    }
    let old_bug = parts.format_for_version(Version::TwoX);
    assert_eq!(
        PasswordHash::parse(&old_bug),
        Err(Error::InvalidPasswordHash)
    );
}

#[test]
fn another_cost_than_today_s_is_due_for_rehashing() {
    let stored = hash("correct horse");
    assert!(!stored.needs_rehash(cost()));
    assert!(
        stored.needs_rehash(Cost::new(COST + 1).unwrap()),
        "too cheap"
    );
    let dear = PasswordHash::unmatchable(Cost::new(15).unwrap());
    assert!(dear.needs_rehash(cost()), "too dear");
}

#[test]
fn an_attempt_that_matched_is_rehashed_even_if_it_is_short() {
    let stored = PasswordHash::parse(&bcrypt::hash("short", COST).unwrap()).unwrap();
    let attempt = PasswordAttempt::new("short").unwrap();
    assert!(attempt.matches(&stored).unwrap());
    let tomorrow = Cost::new(COST + 1).unwrap();
    let fresh = attempt.rehash(tomorrow).unwrap();
    assert!(!fresh.needs_rehash(tomorrow));
    assert!(matches("short", &fresh) && !matches("other", &fresh));
}

#[test]
fn the_cost_is_4_to_15_and_12_unless_set() {
    for cost in [0, 3, 16, 17, 31, u32::MAX] {
        assert!(
            matches!(Cost::new(cost), Err(Error::InvalidSetting(_))),
            "{cost}"
        );
    }
    for cost in [4, 5, 14, 15] {
        assert_eq!(Cost::new(cost).map(Cost::get), Ok(cost));
    }
    assert_eq!(Cost::default().get(), 12);
}

#[test]
fn a_stored_cost_above_15_is_refused_before_it_stalls_the_host() {
    let tail = &hash("correct horse").as_str()[6..].to_owned();
    for digits in ["04", "05", "14", "15"] {
        let stored = PasswordHash::parse(&format!("$2b${digits}{tail}"));
        assert!(stored.is_ok(), "{digits}");
    }
    let start = Instant::now();
    for digits in [
        "00", "03", "16", "20", "31", "99", "+4", "-4", " 4", "4 ", "0x", "４",
    ] {
        let stored = PasswordHash::parse(&format!("$2b${digits}{tail}"));
        assert_eq!(stored, Err(Error::InvalidPasswordHash), "{digits}");
    }
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_corrupt_hash_is_an_error_and_no_panic() {
    let good = hash("correct horse").as_str().to_owned();
    let (head, tail) = good.split_at(30);
    for (name, text) in [
        ("nothing", String::new()),
        ("a password", "correct horse".to_owned()),
        ("one character less", good[..59].to_owned()),
        ("one character more", format!("{good}.")),
        ("a line feed", format!("{good}\n")),
        ("a space in front", format!(" {}", &good[..59])),
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
            format!("{}é{}", &good[..28], &good[30..]),
        ),
        ("a letter across the cost", format!("$2b$0é{}", &good[7..])),
        ("a letter across the prefix", format!("$2é{}", &good[4..])),
        ("sixty two-byte letters", "é".repeat(60)),
        ("thirty two-byte letters, 60 bytes", "é".repeat(30)),
        ("sixty dollars", "$".repeat(60)),
        ("another scheme", format!("$argon2id${}", &good[10..])),
        ("md5-crypt", format!("$1$b${}", &good[5..])),
        (
            "no dollar behind the cost",
            format!("$2b$04.{}", &good[7..]),
        ),
        ("upper case", good.replacen("$2b$", "$2B$", 1)),
    ] {
        let answer = PasswordHash::parse(&text);
        assert_eq!(answer, Err(Error::InvalidPasswordHash), "{name}: {text}");
    }
}

#[test]
fn the_unmatchable_hash_is_a_real_one_that_nothing_matches() {
    for number in [4, 12, 15] {
        let cost = Cost::new(number).unwrap();
        let unmatchable = PasswordHash::unmatchable(cost);
        let parts: HashParts = unmatchable.as_str().parse().unwrap();
        assert_eq!(parts.get_cost(), number);
        assert_eq!(parts.to_string(), unmatchable.as_str());
        let stored = PasswordHash::parse(unmatchable.as_str());
        assert_eq!(stored.as_ref(), Ok(&unmatchable));
        assert!(!unmatchable.needs_rehash(cost));
    }
    // `Ok(false)`, not an error, is what bcrypt answers after all its rounds.
    let cheap = PasswordHash::unmatchable(cost());
    for text in ["correct horse", "e", &"e".repeat(128), "\0"] {
        let attempt = PasswordAttempt::new(text).unwrap();
        assert_eq!(attempt.matches(&cheap), Ok(false), "{text:?}");
    }
}

#[test]
fn every_hash_has_a_salt_of_its_own_and_the_form_that_is_documented() {
    let (one, other) = (hash("correct horse"), hash("correct horse"));
    assert_ne!(one, other);
    assert!(one.as_str().starts_with("$2b$04$") && one.as_str().len() == 60);
}

#[test]
fn a_password_that_may_be_set_may_be_compared() {
    let password = Password::new("correct horse").unwrap();
    let stored = password.hash(cost()).unwrap();
    let attempt = PasswordAttempt::from(password);
    assert_eq!(attempt.matches(&stored), Ok(true));
}

#[test]
fn neither_a_password_nor_its_hash_prints() {
    let password = Password::new("correct horse").unwrap();
    let stored = password.hash(cost()).unwrap();
    let attempt = PasswordAttempt::new("correct horse").unwrap();
    assert_eq!(format!("{password:?}"), "Password([redacted])");
    assert_eq!(format!("{attempt:?}"), "PasswordAttempt([redacted])");
    assert_eq!(format!("{stored:?}"), "PasswordHash([redacted])");
}
