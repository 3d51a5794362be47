//! Verifies arbitrary text. The verifier must not panic, and an accepted token must pass the checks of `require_valid`.
//!
//! The input is a token or, if it contains a line break, a header and a payload. This target signs header and
//! payload, because random bytes hardly ever contain a matching MAC.
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
/// The current time for the verifier, in seconds since 1970.
const NOW_SECONDS: u64 = 1_800_000_000;
const LEEWAY_SECONDS: f64 = 5.0;

static VERIFIER: LazyLock<TokenVerifier> = LazyLock::new(|| {
    let keyring = Keyring::new(Secret::new(SECRET).unwrap());
    TokenVerifier::new(keyring, "api-server", "api").unwrap()
});

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW_SECONDS)
}

/// Signs a header and a payload.
fn sign(header: &[u8], payload: &[u8]) -> String {
    let encode = |part| URL_SAFE_NO_PAD.encode(part);
    let message = format!("{}.{}", encode(header), encode(payload));
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    let tag = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{message}.{tag}")
}

/// Parses a part of the token with another JSON parser; `None` if an ignored member exceeds the limits of that parser.
fn parse_part(token: &str, index: usize) -> Option<Value> {
    let encoded = token.split('.').nth(index).unwrap();
    match serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).unwrap()) {
        Ok(value) => Some(value),
        Err(error) => {
            let message = error.to_string();
            let limits = ["hex escape", "recursion limit", "number out of range"];
            assert!(limits.iter().any(|limit| message.contains(limit)), "{message}");
            None
        }
    }
}

/// Checks the header and the claims of an accepted token, as another JSON parser reads them.
fn require_valid(token: &str, claims: &Claims) {
    assert!(token.len() <= 8192);
    assert_eq!(token.split('.').count(), 3);
    let (Some(header), Some(payload)) = (parse_part(token, 0), parse_part(token, 1)) else {
        return;
    };
    assert_eq!(header["alg"], "HS256");
    assert!(
        header["typ"]
            .as_str()
            .unwrap()
            .eq_ignore_ascii_case("at+jwt")
    );
    for forbidden_name in ["crit", "b64", "zip"] {
        assert!(header.get(forbidden_name).is_none());
    }
    assert_eq!(payload["iss"], "api-server");
    let aud = &payload["aud"];
    let is_listed = || aud.as_array().unwrap().contains(&Value::from("api"));
    assert!(aud == "api" || is_listed());
    for (name, claim) in [
        ("sub", Some(&claims.sub)),
        ("email", claims.email.as_ref()),
        ("jti", Some(&claims.jti)),
        ("sid", claims.sid.as_ref()),
    ] {
        assert_eq!(payload[name], claim.unwrap().as_str());
    }
    require_valid_grants(&payload, claims);
    let email_verified = payload.get("email_verified");
    assert_eq!(email_verified, claims.email_verified.map(Value::from).as_ref());
    assert!(!claims.sub.is_empty() && claims.sub.trim() == claims.sub);
    let claim_seconds = |name: &str| payload[name].as_f64().unwrap();
    let now_seconds = NOW_SECONDS as f64;
    assert!(now_seconds < claim_seconds("exp") + LEEWAY_SECONDS);
    assert!(claim_seconds("iat") <= now_seconds + LEEWAY_SECONDS);
    assert!(claim_seconds("exp") - claim_seconds("iat") <= 400.0 * 86_400.0);
    if payload.get("nbf").is_some() {
        assert!(claim_seconds("nbf") <= now_seconds + LEEWAY_SECONDS);
    }
}

/// Checks the roles, the scope and the version, as another JSON parser reads them.
fn require_valid_grants(payload: &Value, claims: &Claims) {
    let roles = payload.get("roles").map(|roles| roles.as_array().unwrap().clone());
    let roles = roles.unwrap_or_default();
    assert_eq!(roles, claims.roles.iter().map(Value::from).collect::<Vec<_>>());
    assert!(roles.len() <= 32);
    for role in claims.roles.iter() {
        assert!(claims.has_role(role) && (1..=64).contains(&role.len()));
        assert!(role.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._:-".contains(&byte)
        }));
        assert_eq!(claims.roles.iter().filter(|other| *other == role).count(), 1);
    }
    let scope = payload.get("scope").map(|scope| scope.as_str().unwrap());
    assert_eq!(scope, claims.scope.as_ref().map(|scope| scope.as_str()));
    if let Some(scope) = scope {
        assert!(scope.len() <= 1024 && scope.split(' ').count() <= 64);
        for name in scope.split(' ') {
            assert!(claims.has_scope(name) && !name.is_empty());
            assert!(name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\'));
        }
    }
    let version = payload.get("claims_version").map_or(0.0, |version| version.as_f64().unwrap());
    assert_eq!(version, claims.claims_version as f64);
}

/// Reads the custom claims of an accepted token. No reserved name may be among them.
fn require_no_reserved_name(token: &str, claims: &Claims) {
    if let Ok((same_claims, custom)) = VERIFIER.verify_with::<Value>(token, now()) {
        assert_eq!(&same_claims, claims);
        for name in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid", "email", "email_verified", "roles", "scope"] {
            assert!(custom.get(name).is_none());
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let token = match input.iter().position(|byte| *byte == b'\n') {
        Some(line_break) => sign(&input[..line_break], &input[line_break + 1..]),
        None => String::from_utf8_lossy(input).into_owned(),
    };
    match VERIFIER.verify(&token, now()) {
        Ok(claims) => {
            require_valid(&token, &claims);
            require_no_reserved_name(&token, &claims);
        }
        Err(error) => assert_eq!(error.status(), 401),
    }
    let _must_not_panic = VERIFIER.verify_for_logout(&token, now());
});
