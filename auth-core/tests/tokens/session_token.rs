//! Tests that every valid session token and every valid cookie is accepted, and that all other text is rejected.

use auth_core::refresh::{RefreshToken, RefreshTokens};
use auth_core::session_token::SessionTokens;
use auth_core::{Error, Keyring, Secret};
use proptest::prelude::*;

use crate::fixtures::{SECRET, keyring, secret};

const SESSION_ID: [u8; 16] = [0x5a; 16];
const MALFORMED: Error = Error::MalformedToken("The session token is malformed");

fn tokens() -> SessionTokens {
    SessionTokens::new(&keyring())
}

/// Returns an encoder and decoder with a new random secret.
fn unrelated_tokens() -> SessionTokens {
    SessionTokens::new(&Keyring::new(Secret::generate().unwrap()))
}

/// Returns one copy of `text` for each character of `text`. The copy has a different character at that position.
fn changed_texts(text: &str) -> impl Iterator<Item = String> + '_ {
    (0..text.len()).map(|index| {
        let mut bytes = text.as_bytes().to_vec();
        let byte = bytes.get_mut(index).unwrap();
        *byte = if *byte == b'1' { b'2' } else { b'1' };
        String::from_utf8(bytes).unwrap()
    })
}

#[test]
fn a_token_is_96_letters_and_digits_and_contains_its_session() {
    let token = tokens().encode(SESSION_ID);
    assert_eq!(token.len(), 96);
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!(tokens().decode(&token), Ok(SESSION_ID));
    assert_eq!(token, tokens().encode(SESSION_ID));
    assert_ne!(token, unrelated_tokens().encode(SESSION_ID));
}

#[test]
fn changed_shortened_and_unrelated_tokens_are_rejected() {
    let token = tokens().encode(SESSION_ID);
    for changed_token in changed_texts(&token) {
        assert_eq!(
            tokens().decode(&changed_token),
            Err(Error::SignatureMismatch)
        );
    }
    for length in 0..token.len() {
        assert_eq!(
            tokens().decode(token.get(..length).unwrap()),
            Err(MALFORMED)
        );
    }
    for malformed_token in [
        format!("{token}0"),
        token.to_uppercase(),
        "é".repeat(48),
        " ".repeat(96),
    ] {
        assert_eq!(
            tokens().decode(&malformed_token),
            Err(MALFORMED),
            "{malformed_token}"
        );
    }
    assert_eq!(
        unrelated_tokens().decode(&token),
        Err(Error::SignatureMismatch)
    );
}

#[test]
fn the_token_and_the_flag_are_each_followed_by_a_padded_signature() {
    let cookie = tokens().sign_cookie(SESSION_ID);
    assert_eq!(cookie.len(), 141);
    assert!(cookie.ends_with('='));
    assert_eq!(
        tokens().verify_cookie(&cookie),
        Ok(&*tokens().encode(SESSION_ID))
    );
    // The text after `true.` is the output of: echo -n true | openssl dgst -sha256 -hmac $SECRET -binary | base64
    let signed_flag = tokens().sign_flag();
    assert_eq!(
        signed_flag,
        "true.PTZtZypcCmcgxZ2+wEWRZ5aIjyYdNB4fCARkhlvnHY8="
    );
    assert!(tokens().is_valid_flag(&signed_flag));
    assert!(!tokens().is_valid_flag(&cookie));
    assert!(!unrelated_tokens().is_valid_flag(&signed_flag));
}

#[test]
fn changed_shortened_and_recombined_cookies_are_rejected() {
    let (cookie, other_cookie) = (
        tokens().sign_cookie(SESSION_ID),
        tokens().sign_cookie([1; 16]),
    );
    for changed_cookie in changed_texts(&cookie) {
        assert!(
            tokens().verify_cookie(&changed_cookie).is_err(),
            "{changed_cookie}"
        );
    }
    for length in 0..cookie.len() {
        assert!(
            tokens()
                .verify_cookie(cookie.get(..length).unwrap())
                .is_err()
        );
    }
    let (token, _) = cookie.rsplit_once('.').unwrap();
    let (_, signature) = other_cookie.rsplit_once('.').unwrap();
    let recombined_cookie = format!("{token}.{signature}");
    assert_eq!(
        tokens().verify_cookie(&recombined_cookie),
        Err(Error::SignatureMismatch)
    );
    assert_eq!(
        unrelated_tokens().verify_cookie(&cookie),
        Err(Error::SignatureMismatch)
    );
}

#[test]
fn every_secret_of_a_keyring_decodes_and_the_current_secret_encodes() {
    let new_keyring = Keyring::new(Secret::generate().unwrap());
    let rotated_keyring = new_keyring.with_previous([secret(SECRET)]);
    let rotated_tokens = SessionTokens::new(&rotated_keyring);
    let old_token = tokens().encode(SESSION_ID);
    assert_eq!(rotated_tokens.decode(&old_token), Ok(SESSION_ID));
    assert_eq!(
        rotated_tokens.verify_cookie(&tokens().sign_cookie(SESSION_ID)),
        Ok(&*old_token)
    );
    assert!(!rotated_tokens.is_current(&old_token));
    let new_token = rotated_tokens.encode(SESSION_ID);
    assert!(rotated_tokens.is_current(&new_token));
    assert_eq!(tokens().decode(&new_token), Err(Error::SignatureMismatch));
}

#[test]
fn session_and_refresh_tokens_are_not_interchangeable() {
    let refresh_tokens = RefreshTokens::new(&keyring());
    let token = refresh_tokens.encode(RefreshToken {
        session_id: SESSION_ID,
        counter: 0,
    });
    assert!(tokens().decode(&token).is_err());
    assert!(refresh_tokens.decode(&tokens().encode(SESSION_ID)).is_err());
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
