//! Tests that every valid session handle is decoded, and that neither a token nor other text is accepted as a handle.

use std::time::SystemTime;

use auth_core::refresh::RefreshTokens;
use auth_core::session_handle::SessionHandles;
use auth_core::session_token::SessionTokens;
use auth_core::{Error, Keyring, Secret, TokenVerifier};
use proptest::prelude::*;

use crate::fixtures::{SECRET, keyring, secret};

const SESSION_ID: [u8; 16] = [0x5a; 16];
const MALFORMED: Error = Error::MalformedToken("The session handle is malformed");

fn handles() -> SessionHandles {
    SessionHandles::new(&keyring())
}

/// Python's `hmac` computed the expected values: in hexadecimal, the session id and its HMAC-SHA-256, with a key that
/// HKDF-SHA-256 derives from the secret without salt.
#[test]
fn a_handle_equals_the_handle_of_another_implementation() {
    let ascending_id: [u8; 16] = std::array::from_fn(|index| u8::try_from(index).unwrap());
    for (id, expected) in [
        (
            SESSION_ID,
            "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5ad595a688b13a39f0230812649de19ba48d06beecd7c98faa890e64e3378d875f",
        ),
        (
            ascending_id,
            "000102030405060708090a0b0c0d0e0fd73f7a9b12b2a7122a5f37d3465aa92f6124b3aa721298bd72ea6aac10e51338",
        ),
    ] {
        assert_eq!(handles().encode(id), expected);
        assert_eq!(handles().decode(expected), Ok(id));
    }
}

#[test]
fn session_handles_and_tokens_are_not_interchangeable() {
    let (tokens, handle) = (SessionTokens::new(&keyring()), handles().encode(SESSION_ID));
    assert_eq!(tokens.decode(&handle), Err(Error::SignatureMismatch));
    assert!(!tokens.is_current(&handle));
    assert!(tokens.verify_cookie(&handle).is_err());
    assert!(RefreshTokens::new(&keyring()).decode(&handle).is_err());
    let verifier = TokenVerifier::new(keyring(), "api-server", "api").unwrap();
    assert!(verifier.verify(&handle, SystemTime::now()).is_err());
    let token = tokens.encode(SESSION_ID);
    assert_eq!(handles().decode(&token), Err(Error::SignatureMismatch));
    assert_eq!(
        handles().decode(&tokens.sign_cookie(SESSION_ID)),
        Err(MALFORMED)
    );
}

#[test]
fn changed_shortened_and_unrelated_handles_are_rejected() {
    let handle = handles().encode(SESSION_ID);
    for index in 0..handle.len() {
        let mut bytes = handle.clone().into_bytes();
        let byte = bytes.get_mut(index).unwrap();
        *byte = if *byte == b'1' { b'2' } else { b'1' };
        let changed_handle = String::from_utf8(bytes).unwrap();
        assert_eq!(
            handles().decode(&changed_handle),
            Err(Error::SignatureMismatch)
        );
        let shortened_handle = handle.get(..index).unwrap();
        assert_eq!(handles().decode(shortened_handle), Err(MALFORMED));
    }
    for malformed_handle in [format!("{handle}0"), handle.to_uppercase(), "é".repeat(48)] {
        assert_eq!(
            handles().decode(&malformed_handle),
            Err(MALFORMED),
            "{malformed_handle}"
        );
    }
    let unrelated_handles = SessionHandles::new(&Keyring::new(Secret::generate().unwrap()));
    assert_eq!(
        unrelated_handles.decode(&handle),
        Err(Error::SignatureMismatch)
    );
}

#[test]
fn every_secret_of_a_keyring_decodes_and_the_current_secret_encodes() {
    let new_keyring = Keyring::new(Secret::generate().unwrap());
    let rotated_handles = SessionHandles::new(&new_keyring.with_previous([secret(SECRET)]));
    assert_eq!(
        rotated_handles.decode(&handles().encode(SESSION_ID)),
        Ok(SESSION_ID)
    );
    let new_handle = rotated_handles.encode(SESSION_ID);
    assert_eq!(rotated_handles.decode(&new_handle), Ok(SESSION_ID));
    assert_eq!(handles().decode(&new_handle), Err(Error::SignatureMismatch));
}

#[test]
fn debug_output_is_redacted() {
    assert_eq!(format!("{:?}", handles()), "SessionHandles([redacted])");
}

proptest! {
    #[test]
    fn arbitrary_text_is_rejected(text in ".{0,200}", hex in "[0-9a-f]{96}") {
        prop_assert!(handles().decode(&text).is_err());
        prop_assert!(handles().decode(&hex).is_err());
    }

    #[test]
    fn every_encoded_session_is_decoded(id: [u8; 16]) {
        prop_assert_eq!(handles().decode(&handles().encode(id)), Ok(id));
    }
}
