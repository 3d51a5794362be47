//! Refresh tokens and the set of ended sessions, for whatever comes.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a helper that fails is a test that fails; what is cut is ASCII"
)]

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::refresh::{RefreshToken, RefreshTokens};
use auth_core::{Error, Keyring, RevokedSessions, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

const OLD: &str = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
const NEW: &str = "Tq8sXe3uVn6mKj1hYb4cWz7pLr0dFg5A";

fn keyring(secret: &str) -> Keyring {
    Keyring::new(Secret::new(secret).unwrap())
}

fn tokens(secret: &str) -> RefreshTokens {
    RefreshTokens::new(&keyring(secret))
}

fn any_token() -> impl Strategy<Value = RefreshToken> {
    let counter = prop_oneof![Just(0), Just(u32::MAX), any::<u32>()];
    (any::<[u8; 16]>(), counter).prop_map(|(session_id, counter)| RefreshToken {
        session_id,
        counter,
    })
}

fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD
        .decode(text.strip_prefix("rt_").unwrap())
        .unwrap()
}

fn encoded(bytes: &[u8]) -> String {
    format!("rt_{}", URL_SAFE_NO_PAD.encode(bytes))
}

proptest! {
    #[test]
    fn what_was_written_is_read(token in any_token()) {
        let text = tokens(NEW).write(token);
        prop_assert_eq!(text.len(), 73);
        prop_assert_eq!(tokens(NEW).read(&text), Ok(token));
        prop_assert_eq!(tokens(NEW).write(token), text);
    }

    #[test]
    fn two_tokens_are_written_differently(one in any_token(), other in any_token()) {
        let (first, second) = (tokens(NEW).write(one), tokens(NEW).write(other));
        prop_assert_eq!(one == other, first == second);
    }

    #[test]
    fn no_byte_may_be_another(token in any_token(), at in 0_usize..52, by in 1_u8..) {
        let tokens = tokens(NEW);
        let mut bytes = decoded(&tokens.write(token));
        bytes[at] ^= by;
        prop_assert_eq!(tokens.read(&encoded(&bytes)), Err(Error::SignatureMismatch));
    }

    #[test]
    fn no_character_may_be_another(token in any_token(), at in 0_usize..73, other in any::<char>()) {
        let tokens = tokens(NEW);
        let text = tokens.write(token);
        let mut characters: Vec<char> = text.chars().collect();
        prop_assume!(characters[at] != other);
        characters[at] = other;
        let changed: String = characters.into_iter().collect();
        prop_assert!(tokens.read(&changed).is_err());
    }

    #[test]
    fn no_other_length_is_a_token(token in any_token(), end in 0_usize..73, more in ".+") {
        let tokens = tokens(NEW);
        let text = tokens.write(token);
        prop_assert!(tokens.read(&text[..end]).is_err());
        let (behind, before) = (format!("{text}{more}"), format!("{more}{text}"));
        prop_assert!(tokens.read(&behind).is_err());
        prop_assert!(tokens.read(&before).is_err());
    }

    #[test]
    fn no_text_is_a_token_by_chance(text in any::<String>(), bytes in any::<[u8; 52]>()) {
        let tokens = tokens(NEW);
        prop_assert!(tokens.read(&text).is_err());
        let prefixed = format!("rt_{text}");
        prop_assert!(tokens.read(&prefixed).is_err());
        prop_assert_eq!(tokens.read(&encoded(&bytes)), Err(Error::SignatureMismatch));
    }

    #[test]
    fn only_the_secrets_in_force_are_good(token in any_token()) {
        let text = tokens(OLD).write(token);
        prop_assert_eq!(tokens(NEW).read(&text), Err(Error::SignatureMismatch));
        let both = keyring(NEW).with_previous([Secret::new(OLD).unwrap()]);
        let both = RefreshTokens::new(&both);
        prop_assert_eq!(both.read(&text), Ok(token));
        prop_assert_eq!(both.write(token), tokens(NEW).write(token));
    }
}

/// What can be done with the set.
#[derive(Debug, Clone)]
enum Step {
    Insert(u8, u32),
    Purge(u32),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<u8>(), 0_u32..1000).prop_map(|(id, until)| Step::Insert(id, until)),
        1 => (0_u32..1000).prop_map(Step::Purge),
    ]
}

fn at(seconds: u32) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds.into())
}

proptest! {
    /// A map from session to time is the model.
    #[test]
    fn the_set_has_what_was_ended_and_is_not_spent(steps in proptest::collection::vec(any_step(), 0..200)) {
        let revoked = RevokedSessions::default();
        let mut model: HashMap<u8, u32> = HashMap::new();
        for step in steps {
            match step {
                Step::Insert(id, until) => {
                    revoked.insert(&id.to_string(), at(until));
                    let kept = model.entry(id).or_insert(until);
                    *kept = until.max(*kept);
                }
                Step::Purge(now) => {
                    revoked.purge(at(now));
                    model.retain(|_, until| *until >= now);
                }
            }
            prop_assert_eq!(revoked.len(), model.len());
            for id in 0..=u8::MAX {
                prop_assert_eq!(revoked.contains(&id.to_string()), model.contains_key(&id));
            }
        }
    }

    #[test]
    fn a_session_is_in_the_set_to_its_last_moment(id in any::<String>(), until in any::<u64>(), before in any::<u64>()) {
        let until = Duration::from_nanos(until);
        let before = Duration::from_nanos(before).min(until);
        let revoked = RevokedSessions::default();
        revoked.insert(&id, UNIX_EPOCH + until);
        revoked.purge(UNIX_EPOCH + before);
        prop_assert!(revoked.contains(&id));
        let other = format!("{id}.");
        prop_assert!(!revoked.contains(&other));
    }
}

#[test]
fn times_that_no_clock_shows_are_no_panic() {
    let revoked = RevokedSessions::default();
    let centuries = Duration::from_secs(400 * 366 * 24 * 60 * 60);
    for time in [UNIX_EPOCH - centuries, UNIX_EPOCH, UNIX_EPOCH + centuries] {
        revoked.insert("a", time);
        assert!(revoked.contains("a"));
        revoked.purge(UNIX_EPOCH - centuries);
        assert!(revoked.contains("a"));
    }
    assert_eq!(revoked.len(), 1);
    assert!(!revoked.is_empty());
}

#[test]
fn a_set_and_its_tokens_show_nothing_when_printed() {
    let revoked = RevokedSessions::default();
    revoked.insert("session-7", UNIX_EPOCH);
    assert_eq!(format!("{revoked:?}"), "RevokedSessions(1)");
    assert_eq!(format!("{:?}", tokens(NEW)), "RefreshTokens([redacted])");
}
