//! Verifies arbitrary text: it must not panic, and an accepted token must follow the rules.
//!
//! The input is a token or, if it contains a line break, a header and a payload. Those are signed here, because random
//! bytes never contain a matching MAC.
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

/// Signs a header and a payload.
fn signed(header: &[u8], payload: &[u8]) -> String {
    let encode = |part| URL_SAFE_NO_PAD.encode(part);
    let message = format!("{}.{}", encode(header), encode(payload));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    let tag = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{message}.{tag}")
}

/// Parses a part with another JSON parser; `None` if an ignored claim has a value beyond that parser's limits.
fn part(token: &str, number: usize) -> Option<Value> {
    let text = token.split('.').nth(number).unwrap();
    match serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()) {
        Ok(value) => Some(value),
        Err(error) => {
            let message = error.to_string();
            let limits = ["hex escape", "recursion limit", "number out of range"];
            assert!(limits.iter().any(|limit| message.contains(limit)), "{message}");
            None
        }
    }
}

/// Requires that an accepted token follows the rules.
fn require_valid(token: &str, claims: &Claims) {
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
    for forbidden in ["crit", "b64", "zip"] {
        assert!(header.get(forbidden).is_none());
    }
    assert_eq!(payload["iss"], "api-server");
    let audience = &payload["aud"];
    let is_listed = || audience.as_array().unwrap().contains(&Value::from("api"));
    assert!(audience == "api" || is_listed());
    for (name, claim) in [
        ("sub", &claims.sub),
        ("email", &claims.email),
        ("jti", &claims.jti),
        ("sid", &claims.sid),
    ] {
        assert_eq!(payload[name], claim.as_str());
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
        Ok(claims) => require_valid(&token, &claims),
        Err(error) => assert_eq!(error.status(), 401),
    }
    let _must_not_panic = VERIFIER.verify_for_logout(&token, now());
});
