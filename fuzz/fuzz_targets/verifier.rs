//! Whatever text is verified: no panic, and what is accepted is what it must be.
//!
//! The input is a token as it stands, or, with a line break in it, a header and a payload that are signed here, since
//! chance never finds a MAC.
#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::{Claims, Keyring, Secret, TokenVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use sha2::Sha256;

const SECRET: &str = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
const NOW: u64 = 1_800_000_000;
const LEEWAY: f64 = 5.0;

static VERIFIER: LazyLock<TokenVerifier> = LazyLock::new(|| {
    let keyring = Keyring::new(Secret::new(SECRET).unwrap());
    TokenVerifier::new(keyring, "api-server", "api").unwrap()
});

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

fn signed(header: &[u8], payload: &[u8]) -> String {
    let encode = |part| URL_SAFE_NO_PAD.encode(part);
    let message = format!("{}.{}", encode(header), encode(payload));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    let tag = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{message}.{tag}")
}

/// A part as another reader of JSON sees it; `None` for what that reader cannot hold, in a claim that nobody looks at.
fn part(token: &str, number: usize) -> Option<Value> {
    let text = token.split('.').nth(number).unwrap();
    match serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()) {
        Ok(value) => Some(value),
        Err(error) => {
            let why = error.to_string();
            let cannot_hold = ["hex escape", "recursion limit", "number out of range"];
            assert!(cannot_hold.iter().any(|limit| why.contains(limit)), "{why}");
            None
        }
    }
}

fn require_good(token: &str, claims: &Claims) {
    assert!(token.len() <= 8192);
    assert_eq!(token.split('.').count(), 3);
    let (Some(header), Some(payload)) = (part(token, 0), part(token, 1)) else {
        return;
    };
    assert_eq!(header["alg"], "HS256");
    assert!(
        header["typ"]
            .as_str()
            .unwrap()
            .eq_ignore_ascii_case("at+jwt")
    );
    for refused in ["crit", "b64", "zip"] {
        assert!(header.get(refused).is_none());
    }
    assert_eq!(payload["iss"], "api-server");
    let audience = &payload["aud"];
    let listed = || audience.as_array().unwrap().contains(&Value::from("api"));
    assert!(audience == "api" || listed());
    for (name, read) in [
        ("sub", &claims.sub),
        ("email", &claims.email),
        ("jti", &claims.jti),
        ("sid", &claims.sid),
    ] {
        assert_eq!(payload[name], read.as_str());
    }
    assert!(!claims.sub.is_empty() && claims.sub.trim() == claims.sub);
    let seconds = |name: &str| payload[name].as_f64().unwrap();
    let now = NOW as f64;
    assert!(now < seconds("exp") + LEEWAY);
    assert!(seconds("iat") <= now + LEEWAY);
    assert!(seconds("exp") - seconds("iat") <= 400.0 * 86_400.0);
    if payload.get("nbf").is_some() {
        assert!(seconds("nbf") <= now + LEEWAY);
    }
}

fuzz_target!(|input: &[u8]| {
    let token = match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => signed(&input[..end], &input[end + 1..]),
        None => String::from_utf8_lossy(input).into_owned(),
    };
    match VERIFIER.verify(&token, now()) {
        Ok(claims) => require_good(&token, &claims),
        Err(error) => assert_eq!(error.status(), 401),
    }
    let _whatever = VERIFIER.verify_for_logout(&token, now());
});
