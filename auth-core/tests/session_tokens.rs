//! Session tokens and their cookies: what is accepted, and that nothing else is.

#![expect(clippy::unwrap_used, reason = "a failure is a test that fails")]

use auth_core::refresh::{RefreshToken, RefreshTokens};
use auth_core::session_token::SessionTokens;
use auth_core::{Error, Keyring, Secret};
use proptest::prelude::*;

const SECRET: &str = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
const ID: [u8; 16] = [0x5a; 16];
const MALFORMED: Error = Error::MalformedToken("The session token is malformed");

fn keyring() -> Keyring {
    Keyring::new(Secret::new(SECRET).unwrap())
}

fn tokens() -> SessionTokens {
    SessionTokens::new(&keyring())
}

fn others() -> SessionTokens {
    SessionTokens::new(&Keyring::new(Secret::generate().unwrap()))
}

/// Each character by another one of the same kind.
fn changes(text: &str) -> impl Iterator<Item = String> + '_ {
    (0..text.len()).map(|index| {
        let mut bytes = text.as_bytes().to_vec();
        let byte = bytes.get_mut(index).unwrap();
        *byte = if *byte == b'1' { b'2' } else { b'1' };
        String::from_utf8(bytes).unwrap()
    })
}

#[test]
fn a_token_is_96_letters_and_digits_and_says_its_session() {
    let token = tokens().write(ID);
    assert_eq!(token.len(), 96);
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!(tokens().read(&token), Ok(ID));
    assert_eq!(token, tokens().write(ID));
    assert_ne!(token, others().write(ID));
}

#[test]
fn a_changed_a_cut_and_a_foreign_token_are_refused() {
    let token = tokens().write(ID);
    for changed in changes(&token) {
        assert_eq!(tokens().read(&changed), Err(Error::SignatureMismatch));
    }
    for length in 0..token.len() {
        assert_eq!(tokens().read(token.get(..length).unwrap()), Err(MALFORMED));
    }
    for malformed in [
        format!("{token}0"),
        token.to_uppercase(),
        "é".repeat(48),
        " ".repeat(96),
    ] {
        assert_eq!(tokens().read(&malformed), Err(MALFORMED), "{malformed}");
    }
    assert_eq!(others().read(&token), Err(Error::SignatureMismatch));
}

#[test]
fn a_cookie_is_the_token_and_a_padded_signature_under_the_secret_itself() {
    let cookie = tokens().write_cookie(ID);
    assert_eq!(cookie.len(), 141);
    assert!(cookie.ends_with('='));
    assert_eq!(tokens().verify_cookie(&cookie), Ok(&*tokens().write(ID)));
    // echo -n true | openssl dgst -sha256 -hmac $SECRET -binary | base64
    let flag = tokens().write_flag();
    assert_eq!(flag, "true.PTZtZypcCmcgxZ2+wEWRZ5aIjyYdNB4fCARkhlvnHY8=");
    assert!(tokens().is_flag(&flag));
    assert!(!tokens().is_flag(&cookie));
    assert!(!others().is_flag(&flag));
}

#[test]
fn a_changed_a_cut_and_a_swapped_cookie_are_refused() {
    let (cookie, other) = (tokens().write_cookie(ID), tokens().write_cookie([1; 16]));
    for changed in changes(&cookie) {
        assert!(tokens().verify_cookie(&changed).is_err(), "{changed}");
    }
    for length in 0..cookie.len() {
        assert!(
            tokens()
                .verify_cookie(cookie.get(..length).unwrap())
                .is_err()
        );
    }
    let (token, _) = cookie.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    let swapped = format!("{token}.{signature}");
    assert_eq!(
        tokens().verify_cookie(&swapped),
        Err(Error::SignatureMismatch)
    );
    assert_eq!(
        others().verify_cookie(&cookie),
        Err(Error::SignatureMismatch)
    );
}

#[test]
fn previous_secrets_are_read_and_the_current_one_writes() {
    let rotated = Keyring::new(Secret::generate().unwrap());
    let rotated = rotated.with_previous([Secret::new(SECRET).unwrap()]);
    let rotated = SessionTokens::new(&rotated);
    let old = tokens().write(ID);
    assert_eq!(rotated.read(&old), Ok(ID));
    assert_eq!(rotated.verify_cookie(&tokens().write_cookie(ID)), Ok(&*old));
    assert!(!rotated.is_current(&old));
    let new = rotated.write(ID);
    assert!(rotated.is_current(&new));
    assert_eq!(tokens().read(&new), Err(Error::SignatureMismatch));
}

#[test]
fn no_token_of_one_kind_passes_for_another() {
    let refresh = RefreshTokens::new(&keyring());
    let token = refresh.write(RefreshToken {
        session_id: ID,
        counter: 0,
    });
    assert!(tokens().read(&token).is_err());
    assert!(refresh.read(&tokens().write(ID)).is_err());
}

#[test]
fn printing_shows_nothing() {
    assert_eq!(format!("{:?}", tokens()), "SessionTokens([redacted])");
}

proptest! {
    #[test]
    fn no_text_panics_or_passes(text in ".{0,200}", hex in "[0-9a-f]{96}", signature in "[A-Za-z0-9+/]{43}=") {
        prop_assert!(tokens().read(&text).is_err());
        prop_assert!(tokens().read(&hex).is_err());
        prop_assert!(tokens().verify_cookie(&text).is_err());
        let cookie = format!("{hex}.{signature}");
        prop_assert!(tokens().verify_cookie(&cookie).is_err());
    }

    #[test]
    fn every_session_is_read_back(id: [u8; 16]) {
        prop_assert_eq!(tokens().read(&tokens().write(id)), Ok(id));
    }
}
