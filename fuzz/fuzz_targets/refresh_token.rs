//! Whatever text is read as a refresh token: no panic, and only what was written is read.
#![no_main]

use std::sync::LazyLock;

use auth_core::refresh::{RefreshToken, RefreshTokens};
use auth_core::{Keyring, Secret};
use libfuzzer_sys::fuzz_target;

static TOKENS: LazyLock<RefreshTokens> = LazyLock::new(|| {
    let secret = Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap();
    RefreshTokens::new(&Keyring::new(secret))
});

/// One format, so one text for each token: whoever stores a hash of it may compare.
fn require_canonical(text: &str) {
    match TOKENS.read(text) {
        Ok(token) => assert_eq!(TOKENS.write(token), text),
        Err(error) => assert_eq!(error.status(), 401),
    }
}

/// What the input says as a token, and what it does to that token's text.
fn require_whole(input: &[u8]) {
    let Some((named, rest)) = input.split_first_chunk::<20>() else {
        return;
    };
    let (session_id, counter) = named.split_first_chunk::<16>().unwrap();
    let token = RefreshToken {
        session_id: *session_id,
        counter: u32::from_be_bytes(counter.try_into().unwrap()),
    };
    let good = TOKENS.write(token);
    assert_eq!(TOKENS.read(&good), Ok(token));
    let [place, byte, ..] = rest else {
        return;
    };
    let mut spoilt = good.clone().into_bytes();
    let place = usize::from(*place) % spoilt.len();
    spoilt[place] = *byte;
    let Ok(spoilt) = String::from_utf8(spoilt) else {
        return;
    };
    assert_eq!(TOKENS.read(&spoilt).is_ok(), spoilt == good);
}

fuzz_target!(|input: &[u8]| {
    require_canonical(&String::from_utf8_lossy(input));
    require_whole(input);
});
