//! Tests that every encoded refresh token is decoded, and that all other text is rejected.

use auth_core::refresh::{RefreshToken, RefreshTokens};
use auth_core::{Error, Keyring, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;

const OLD_SECRET: &str = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
const NEW_SECRET: &str = "Tq8sXe3uVn6mKj1hYb4cWz7pLr0dFg5A";

fn keyring(secret: &str) -> Keyring {
    Keyring::new(Secret::new(secret).unwrap())
}

fn refresh_tokens(secret: &str) -> RefreshTokens {
    RefreshTokens::new(&keyring(secret))
}

fn any_token() -> impl Strategy<Value = RefreshToken> {
    let counter = prop_oneof![Just(0), Just(u32::MAX), any::<u32>()];
    (any::<[u8; 16]>(), counter).prop_map(|(session_id, counter)| RefreshToken {
        session_id,
        counter,
    })
}

fn decode_text(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD
        .decode(text.strip_prefix("rt_").unwrap())
        .unwrap()
}

fn encode_bytes(bytes: &[u8]) -> String {
    format!("rt_{}", URL_SAFE_NO_PAD.encode(bytes))
}

proptest! {
    #[test]
    fn an_encoded_token_is_decoded(token in any_token()) {
        let text = refresh_tokens(NEW_SECRET).encode(token);
        prop_assert_eq!(text.len(), 73);
        prop_assert_eq!(refresh_tokens(NEW_SECRET).decode(&text), Ok(token));
        prop_assert_eq!(refresh_tokens(NEW_SECRET).encode(token), text);
    }

    #[test]
    fn different_tokens_have_different_texts(first_token in any_token(), second_token in any_token()) {
        let (first_text, second_text) = (refresh_tokens(NEW_SECRET).encode(first_token), refresh_tokens(NEW_SECRET).encode(second_token));
        prop_assert_eq!(first_token == second_token, first_text == second_text);
    }

    #[test]
    fn a_token_with_a_changed_byte_is_rejected(token in any_token(), index in 0_usize..52, mask in 1_u8..) {
        let tokens = refresh_tokens(NEW_SECRET);
        let mut bytes = decode_text(&tokens.encode(token));
        bytes[index] ^= mask;
        prop_assert_eq!(tokens.decode(&encode_bytes(&bytes)), Err(Error::SignatureMismatch));
    }

    #[test]
    fn a_token_with_a_changed_character_is_rejected(token in any_token(), index in 0_usize..73, character in any::<char>()) {
        let tokens = refresh_tokens(NEW_SECRET);
        let text = tokens.encode(token);
        let mut characters: Vec<char> = text.chars().collect();
        prop_assume!(characters[index] != character);
        characters[index] = character;
        let changed_text: String = characters.into_iter().collect();
        prop_assert!(tokens.decode(&changed_text).is_err());
    }

    #[test]
    fn a_token_of_another_length_is_rejected(token in any_token(), end in 0_usize..73, extra_text in ".+") {
        let tokens = refresh_tokens(NEW_SECRET);
        let text = tokens.encode(token);
        prop_assert!(tokens.decode(&text[..end]).is_err());
        let (appended, prepended) = (format!("{text}{extra_text}"), format!("{extra_text}{text}"));
        prop_assert!(tokens.decode(&appended).is_err());
        prop_assert!(tokens.decode(&prepended).is_err());
    }

    #[test]
    fn arbitrary_text_is_rejected(text in any::<String>(), bytes in any::<[u8; 52]>()) {
        let tokens = refresh_tokens(NEW_SECRET);
        prop_assert!(tokens.decode(&text).is_err());
        let prefixed_text = format!("rt_{text}");
        prop_assert!(tokens.decode(&prefixed_text).is_err());
        prop_assert_eq!(tokens.decode(&encode_bytes(&bytes)), Err(Error::SignatureMismatch));
    }

    #[test]
    fn only_secrets_of_the_keyring_verify(token in any_token()) {
        let text = refresh_tokens(OLD_SECRET).encode(token);
        prop_assert_eq!(refresh_tokens(NEW_SECRET).decode(&text), Err(Error::SignatureMismatch));
        let rotated_keyring = keyring(NEW_SECRET).with_previous([Secret::new(OLD_SECRET).unwrap()]);
        let rotated_tokens = RefreshTokens::new(&rotated_keyring);
        prop_assert_eq!(rotated_tokens.decode(&text), Ok(token));
        prop_assert_eq!(rotated_tokens.encode(token), refresh_tokens(NEW_SECRET).encode(token));
    }
}

#[test]
fn debug_output_is_redacted() {
    assert_eq!(
        format!("{:?}", refresh_tokens(NEW_SECRET)),
        "RefreshTokens([redacted])"
    );
}
