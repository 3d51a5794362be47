//! Any text read as a session token, its cookie or a session handle: no panic, and only what was written is read.
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

/// One format, so one text for each session.
fn require_canonical(text: &str) {
    match TOKENS.read(text) {
        Ok(session_id) => assert_eq!(TOKENS.write(session_id), text),
        Err(error) => assert_eq!(error.status(), 401),
    }
    match HANDLES.read(text) {
        Ok(session_id) => {
            assert_eq!(HANDLES.write(session_id), text);
            assert!(TOKENS.read(text).is_err());
        }
        Err(error) => assert_eq!(error.status(), 401),
    }
    match TOKENS.verify_cookie(text) {
        Ok("true") => assert_eq!(TOKENS.write_flag(), text),
        Ok(token) => assert_eq!(TOKENS.write_cookie(TOKENS.read(token).unwrap()), text),
        Err(error) => assert_eq!(error.status(), 401),
    }
}

/// What the input says as a session, and what it does to its token and cookie.
fn require_whole(input: &[u8]) {
    let Some((session_id, rest)) = input.split_first_chunk::<16>() else {
        return;
    };
    let (token, cookie) = (TOKENS.write(*session_id), TOKENS.write_cookie(*session_id));
    assert_eq!(TOKENS.read(&token), Ok(*session_id));
    assert_eq!(TOKENS.verify_cookie(&cookie), Ok(token.as_str()));
    let handle = HANDLES.write(*session_id);
    assert_eq!(HANDLES.read(&handle), Ok(*session_id));
    assert!(TOKENS.read(&handle).is_err() && HANDLES.read(&token).is_err());
    let [place, byte, ..] = rest else {
        return;
    };
    for good in [&token, &cookie, &handle] {
        let mut spoilt = good.clone().into_bytes();
        let place = usize::from(*place) % spoilt.len();
        spoilt[place] = *byte;
        let Ok(spoilt) = String::from_utf8(spoilt) else {
            continue;
        };
        if spoilt != *good {
            assert!(TOKENS.read(&spoilt).is_err());
            assert!(TOKENS.verify_cookie(&spoilt).is_err());
            assert!(HANDLES.read(&spoilt).is_err());
        }
    }
}

fuzz_target!(|input: &[u8]| {
    require_canonical(&String::from_utf8_lossy(input));
    require_whole(input);
});
