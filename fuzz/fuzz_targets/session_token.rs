//! Decodes arbitrary text as a session token, as a session cookie and as a session handle. No decoder may panic, and
//! each must accept only text that was encoded with the secret.
#![no_main]

use std::sync::LazyLock;

use auth_core::session_handle::SessionHandles;
use auth_core::session_token::SessionTokens;
use auth_core::{Keyring, Secret};
use libfuzzer_sys::fuzz_target;

static KEYRING: LazyLock<Keyring> =
    LazyLock::new(|| Keyring::new(Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap()));
static TOKENS: LazyLock<SessionTokens> = LazyLock::new(|| SessionTokens::new(&KEYRING));
static HANDLES: LazyLock<SessionHandles> = LazyLock::new(|| SessionHandles::new(&KEYRING));

/// If a decoder accepts the text, requires that encoding the result returns the same text.
fn require_canonical(text: &str) {
    match TOKENS.decode(text) {
        Ok(session_id) => assert_eq!(TOKENS.encode(session_id), text),
        Err(error) => assert_eq!(error.status(), 401),
    }
    match HANDLES.decode(text) {
        Ok(session_id) => {
            assert_eq!(HANDLES.encode(session_id), text);
            assert!(TOKENS.decode(text).is_err());
        }
        Err(error) => assert_eq!(error.status(), 401),
    }
    match TOKENS.verify_cookie(text) {
        Ok("true") => assert_eq!(TOKENS.sign_flag(), text),
        Ok(token) => assert_eq!(TOKENS.sign_cookie(TOKENS.decode(token).unwrap()), text),
        Err(error) => assert_eq!(error.status(), 401),
    }
}

/// Encodes the input as token, cookie and handle of a session, changes one byte of each, and requires that the changed
/// texts are rejected.
fn require_changes_rejected(input: &[u8]) {
    let Some((session_id, change)) = input.split_first_chunk::<16>() else {
        return;
    };
    let (token, cookie) = (TOKENS.encode(*session_id), TOKENS.sign_cookie(*session_id));
    assert_eq!(TOKENS.decode(&token), Ok(*session_id));
    assert_eq!(TOKENS.verify_cookie(&cookie), Ok(token.as_str()));
    let handle = HANDLES.encode(*session_id);
    assert_eq!(HANDLES.decode(&handle), Ok(*session_id));
    assert!(TOKENS.decode(&handle).is_err() && HANDLES.decode(&token).is_err());
    let [offset, new_byte, ..] = change else {
        return;
    };
    for valid in [&token, &cookie, &handle] {
        let mut bytes = valid.clone().into_bytes();
        let index = usize::from(*offset) % bytes.len();
        bytes[index] = *new_byte;
        let Ok(changed) = String::from_utf8(bytes) else {
            continue;
        };
        if changed != *valid {
            assert!(TOKENS.decode(&changed).is_err());
            assert!(TOKENS.verify_cookie(&changed).is_err());
            assert!(HANDLES.decode(&changed).is_err());
        }
    }
}

fuzz_target!(|input: &[u8]| {
    require_canonical(&String::from_utf8_lossy(input));
    require_changes_rejected(input);
});
