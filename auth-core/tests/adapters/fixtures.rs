//! Creates the authorities of the test services. Signs tokens with any header and any claims.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_core::public_key::{KeySet, SigningKey};
use auth_core::remote::{RemoteVerifier, RevocationFeed, StalePolicy};
use auth_core::{
    Authority, Keyring, LocalVerifier, Revocations, Secret, TokenVerifier, VerificationKeys,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

/// The time at which the local verifiers check tokens, in seconds since 1970.
pub(crate) const NOW: u64 = 1_800_000_000;
const SECRET: &str = "wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P";
const OTHER_SECRET: &str = "P0aS6fG3dH5cN1bZ7mL4tY8x2qkRv9Jw";

/// A URL at which no server listens.
const UNREACHABLE_URL: &str = "http://127.0.0.1:9";

/// Returns an authority that accepts no token, because its revocation feed never receives the required response.
pub(crate) fn authority_with_stale_feed() -> Authority {
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    let keyring = Keyring::new(Secret::new(SECRET).unwrap());
    let feed = RevocationFeed::start(UNREACHABLE_URL, keyring.clone(), "api-server").unwrap();
    let verifier = TokenVerifier::new(keyring, "api-server", "api").unwrap();
    let policy = StalePolicy::FailClosedAfter(Duration::from_secs(1));
    let local_verifier = LocalVerifier::new(verifier.with_feed(&feed, policy));
    local_verifier.with_clock(move || now).into()
}

/// Returns an authority that verifies tokens with requests to a server that does not exist.
pub(crate) fn unreachable_authority() -> Authority {
    RemoteVerifier::new(UNREACHABLE_URL).unwrap().into()
}

/// The custom claims that the test services read.
#[derive(serde::Deserialize)]
pub(crate) struct Plan {
    pub(crate) plan: String,
}

/// Returns an authority that accepts [`valid_token`] and [`token_with_key`], and rejects tokens of the session
/// `revoked` and old tokens of the user `changed`.
pub(crate) fn authority() -> Authority {
    let now = UNIX_EPOCH + Duration::from_secs(NOW);
    let revocations = Revocations::default();
    let until = SystemTime::now() + Duration::from_secs(900);
    revocations.revoke_session("revoked", until);
    revocations.mark_stale("changed", 2, until);
    let keyring = Keyring::new(Secret::new(SECRET).unwrap());
    let public_keys = KeySet::new([signing_key().public_key().clone()]).unwrap();
    let keys = VerificationKeys::from(public_keys).with_secrets(keyring);
    let verifier = TokenVerifier::new(keys, "api-server", "api").unwrap();
    let local_verifier =
        LocalVerifier::new(verifier.with_revocations(revocations).with_custom_claims());
    local_verifier.with_clock(move || now).into()
}

pub(crate) fn valid_claims() -> Value {
    json!({
        "iss": "api-server", "aud": "api", "sub": "42", "email": "ada@example.com",
        "iat": NOW, "exp": NOW + 900, "jti": "1", "sid": "7",
    })
}

/// Returns a token that every guard of the test services accepts.
pub(crate) fn token_with_every_grant() -> String {
    token_with_claims(&[
        ("roles", Some(json!(["admin", "editor"]))),
        ("scope", Some(json!("tasks:read tasks:write"))),
        ("plan", Some(json!("pro"))),
    ])
}

pub(crate) fn valid_header() -> Value {
    json!({ "alg": "HS256", "typ": "at+jwt" })
}

pub(crate) fn sign(header: &Value, claims: &Value) -> String {
    sign_with(SECRET, header, claims)
}

/// Returns the private key of the issuer. The test services have its public key.
pub(crate) fn signing_key() -> SigningKey {
    SigningKey::from_pem(include_str!("../vectors/pem/ed25519.pem")).unwrap()
}

/// Returns a valid token that is signed with the private key.
pub(crate) fn token_with_key() -> String {
    let key_id = signing_key().public_key().key_id().to_owned();
    let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": key_id });
    sign_with_key(&header, &valid_claims())
}

/// Signs a header and claims with the private key, using another library.
pub(crate) fn sign_with_key(header: &Value, claims: &Value) -> String {
    let pem = include_str!("../vectors/pem/ed25519.pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let key = EncodingKey::from_ed_der(&STANDARD.decode(base64).unwrap());
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = crypto::sign(message.as_bytes(), &key, Algorithm::EdDSA).unwrap();
    format!("{message}.{signature}")
}

pub(crate) fn forged_token() -> String {
    sign_with(OTHER_SECRET, &valid_header(), &valid_claims())
}

pub(crate) fn valid_token() -> String {
    sign(&valid_header(), &valid_claims())
}

/// Returns a token with the valid claims after these changes. `None` removes a claim.
pub(crate) fn token_with_claims(changes: &[(&str, Option<Value>)]) -> String {
    let mut claims = valid_claims();
    let members = claims.as_object_mut().unwrap();
    for (claim, value) in changes {
        match value {
            Some(value) => members.insert((*claim).to_owned(), value.clone()),
            None => members.remove(*claim),
        };
    }
    sign(&valid_header(), &claims)
}

fn sign_with(secret: &str, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", base64url(header), base64url(claims));
    let key = EncodingKey::from_secret(secret.as_bytes());
    let mac = crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{mac}")
}

fn base64url(part: &Value) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(part.to_string())
}
