//! Authorities for the tests, with a fixed secret, clock and revoked session; and tokens with any header and claims.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::remote::{RemoteVerifier, RevocationFeed, StalePolicy};
use auth_core::{Authority, Keyring, LocalVerifier, RevokedSessions, Secret, TokenVerifier};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

/// Seconds since 1970.
pub(crate) const NOW: u64 = 1_800_000_000;
const SECRET: &str = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
const OTHER_SECRET: &str = "P0aS6fG3dH5cN1bZ7mL4tY8x2qkRv9Jw";

/// A URL at which no server listens.
const NO_SERVER: &str = "http://127.0.0.1:9";

/// Returns an authority that requires a recent revocation feed and has none.
pub(crate) fn stale_feed() -> Authority {
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    let keyring = Keyring::new(Secret::new(SECRET).unwrap());
    let feed = RevocationFeed::start(NO_SERVER, keyring.clone(), "api-server").unwrap();
    let verifier = TokenVerifier::new(keyring, "api-server", "api").unwrap();
    let policy = StalePolicy::FailClosedAfter(Duration::from_secs(1));
    let local = LocalVerifier::new(verifier.with_feed(&feed, policy));
    local.with_clock(move || now).into()
}

/// Returns an authority that calls an unreachable server.
pub(crate) fn unreachable() -> Authority {
    RemoteVerifier::new(NO_SERVER).unwrap().into()
}

pub(crate) fn authority() -> Authority {
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    let revoked = RevokedSessions::default();
    revoked.insert("revoked", SystemTime::now() + Duration::from_secs(900));
    let keyring = Keyring::new(Secret::new(SECRET).unwrap());
    let verifier = TokenVerifier::new(keyring, "api-server", "api").unwrap();
    let local = LocalVerifier::new(verifier.with_revoked(revoked));
    local.with_clock(move || now).into()
}

pub(crate) fn claims() -> Value {
    json!({
        "iss": "api-server", "aud": "api", "sub": "42", "email": "ada@example.com",
        "iat": NOW, "exp": NOW + 900, "jti": "1", "sid": "7",
    })
}

pub(crate) fn header() -> Value {
    json!({ "alg": "HS256", "typ": "at+jwt" })
}

pub(crate) fn signed(header: &Value, claims: &Value) -> String {
    signed_by(SECRET, header, claims)
}

pub(crate) fn forged() -> String {
    signed_by(OTHER_SECRET, &header(), &claims())
}

pub(crate) fn valid_token() -> String {
    signed(&header(), &claims())
}

/// Signs a token with changed claims; `None` removes a claim.
pub(crate) fn with_claims(changes: &[(&str, Option<Value>)]) -> String {
    let mut claims = claims();
    let all = claims.as_object_mut().unwrap();
    for (claim, value) in changes {
        match value {
            Some(value) => all.insert((*claim).to_owned(), value.clone()),
            None => all.remove(*claim),
        };
    }
    signed(&header(), &claims)
}

fn signed_by(secret: &str, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", base64url(header), base64url(claims));
    let key = EncodingKey::from_secret(secret.as_bytes());
    let mac = crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{mac}")
}

fn base64url(part: &Value) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(part.to_string())
}
