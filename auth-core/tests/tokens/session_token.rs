//! Session tokens and their cookies: every valid one is accepted, and all other text is rejected.

use auth_core::refresh::{RefreshToken, RefreshTokens};
use auth_core::session_token::SessionTokens;
use auth_core::{Error, Keyring, Secret};
use proptest::prelude::*;

use crate::fixtures::{SECRET, keyring, secret};

const ID: [u8; 16] = [0x5a; 16];
const MALFORMED: Error = Error::MalformedToken("The session token is malformed");

fn tokens() -> SessionTokens {
    SessionTokens::new(&keyring())
}

fn unrelated() -> SessionTokens {
    SessionTokens::new(&Keyring::new(Secret::generate().unwrap()))
}

/// Returns texts in each of which one character is replaced by another digit.
fn changes(text: &str) -> impl Iterator<Item = String> + '_ {
    (0..text.len()).map(|index| {
        let mut bytes = text.as_bytes().to_vec();
        let byte = bytes.get_mut(index).unwrap();
        *byte = if *byte == b'1' { b'2' } else { b'1' };
        String::from_utf8(bytes).unwrap()
    })
}

#[test]
fn a_token_is_96_letters_and_digits_and_contains_its_session() {
    let token = tokens().encode(ID);
    assert_eq!(token.len(), 96);
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!(tokens().decode(&token), Ok(ID));
    assert_eq!(token, tokens().encode(ID));
    assert_ne!(token, unrelated().encode(ID));
}

#[test]
fn changed_shortened_and_unrelated_tokens_are_rejected() {
    let token = tokens().encode(ID);
    for changed in changes(&token) {
        assert_eq!(tokens().decode(&changed), Err(Error::SignatureMismatch));
    }
    for length in 0..token.len() {
        assert_eq!(
            tokens().decode(token.get(..length).unwrap()),
            Err(MALFORMED)
        );
    }
    for malformed in [
        format!("{token}0"),
        token.to_uppercase(),
        "é".repeat(48),
        " ".repeat(96),
    ] {
        assert_eq!(tokens().decode(&malformed), Err(MALFORMED), "{malformed}");
    }
    assert_eq!(unrelated().decode(&token), Err(Error::SignatureMismatch));
}

#[test]
fn a_cookie_is_the_token_and_a_padded_signature_of_the_secret() {
    let cookie = tokens().sign_cookie(ID);
    assert_eq!(cookie.len(), 141);
    assert!(cookie.ends_with('='));
    assert_eq!(tokens().verify_cookie(&cookie), Ok(&*tokens().encode(ID)));
    // echo -n true | openssl dgst -sha256 -hmac $SECRET -binary | base64
    let flag = tokens().sign_flag();
    assert_eq!(flag, "true.PTZtZypcCmcgxZ2+wEWRZ5aIjyYdNB4fCARkhlvnHY8=");
    assert!(tokens().is_flag(&flag));
    assert!(!tokens().is_flag(&cookie));
    assert!(!unrelated().is_flag(&flag));
}

#[test]
fn changed_shortened_and_recombined_cookies_are_rejected() {
    let (cookie, other) = (tokens().sign_cookie(ID), tokens().sign_cookie([1; 16]));
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
    let recombined = format!("{token}.{signature}");
    assert_eq!(
        tokens().verify_cookie(&recombined),
        Err(Error::SignatureMismatch)
    );
    assert_eq!(
        unrelated().verify_cookie(&cookie),
        Err(Error::SignatureMismatch)
    );
}

#[test]
fn every_secret_decodes_and_the_current_one_encodes() {
    let rotated = Keyring::new(Secret::generate().unwrap());
    let rotated = rotated.with_previous([secret(SECRET)]);
    let rotated = SessionTokens::new(&rotated);
    let old = tokens().encode(ID);
    assert_eq!(rotated.decode(&old), Ok(ID));
    assert_eq!(rotated.verify_cookie(&tokens().sign_cookie(ID)), Ok(&*old));
    assert!(!rotated.is_current(&old));
    let new = rotated.encode(ID);
    assert!(rotated.is_current(&new));
    assert_eq!(tokens().decode(&new), Err(Error::SignatureMismatch));
}

#[test]
fn session_and_refresh_tokens_are_not_interchangeable() {
    let refresh = RefreshTokens::new(&keyring());
    let token = refresh.encode(RefreshToken {
        session_id: ID,
        counter: 0,
    });
    assert!(tokens().decode(&token).is_err());
    assert!(refresh.decode(&tokens().encode(ID)).is_err());
}

#[test]
fn debug_output_is_redacted() {
    assert_eq!(format!("{:?}", tokens()), "SessionTokens([redacted])");
}

proptest! {
    #[test]
    fn arbitrary_text_is_rejected(text in ".{0,200}", hex in "[0-9a-f]{96}", signature in "[A-Za-z0-9+/]{43}=") {
        prop_assert!(tokens().decode(&text).is_err());
        prop_assert!(tokens().decode(&hex).is_err());
        prop_assert!(tokens().verify_cookie(&text).is_err());
        let cookie = format!("{hex}.{signature}");
        prop_assert!(tokens().verify_cookie(&cookie).is_err());
    }

    #[test]
    fn every_encoded_session_is_decoded(id: [u8; 16]) {
        prop_assert_eq!(tokens().decode(&tokens().encode(id)), Ok(id));
    }
}
