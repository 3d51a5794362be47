//! Decodes arbitrary text as a refresh token. The decoder must not panic, and must accept only text that was encoded
//! with the secret.
#![no_main]

use std::sync::LazyLock;

use auth_core::refresh::{RefreshToken, RefreshTokens};
use auth_core::{Keyring, Secret};
use libfuzzer_sys::fuzz_target;

static TOKENS: LazyLock<RefreshTokens> = LazyLock::new(|| {
    let secret = Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap();
    RefreshTokens::new(&Keyring::new(secret))
});

/// If the decoder accepts the text, requires that encoding the result returns the same text.
fn require_canonical(text: &str) {
    match TOKENS.decode(text) {
        Ok(token) => assert_eq!(TOKENS.encode(token), text),
        Err(error) => assert_eq!(error.status(), 401),
    }
}

/// Encodes the input as a token, changes one byte of the text, and requires that the changed text is rejected.
fn require_changes_rejected(input: &[u8]) {
    let Some((content, change)) = input.split_first_chunk::<20>() else {
        return;
    };
    let (session_id, counter) = content.split_first_chunk::<16>().unwrap();
    let token = RefreshToken {
        session_id: *session_id,
        counter: u32::from_be_bytes(counter.try_into().unwrap()),
    };
    let valid = TOKENS.encode(token);
    assert_eq!(TOKENS.decode(&valid), Ok(token));
    let [offset, new_byte, ..] = change else {
        return;
    };
    let mut bytes = valid.clone().into_bytes();
    let index = usize::from(*offset) % bytes.len();
    bytes[index] = *new_byte;
    let Ok(changed) = String::from_utf8(bytes) else {
        return;
    };
    assert_eq!(TOKENS.decode(&changed).is_ok(), changed == valid);
}

fuzz_target!(|input: &[u8]| {
    require_canonical(&String::from_utf8_lossy(input));
    require_changes_rejected(input);
});
