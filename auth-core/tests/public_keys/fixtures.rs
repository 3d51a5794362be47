//! Defines the keys, the issuer, the audience and the time that these tests use, and signs tokens with any header.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::jsonwebtoken::{Algorithm as OtherAlgorithm, EncodingKey, crypto};
use auth_core::public_key::{Algorithm, KeySet, PublicKey, SigningKey};
use auth_core::{Claims, Error, Subject, TokenIssuer, TokenVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// The time at which these tests issue and verify tokens, in seconds since 1970.
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://auth.example.com";
pub(crate) const AUDIENCE: &str = "api";
pub(crate) const SUBJECT: Subject<'_> = Subject {
    id: "42",
    email: "ada@example.com",
    email_verified: Some(true),
    session_id: "7",
};
pub(crate) const ALGORITHMS: [Algorithm; 2] = [Algorithm::EdDsa, Algorithm::Es256];

/// Reads a file of the folder with the keys.
pub(crate) fn pem(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/pem");
    std::fs::read_to_string(format!("{folder}/{name}.pem")).unwrap()
}

/// Decodes a file of the folder with the keys.
pub(crate) fn der(name: &str) -> Vec<u8> {
    let pem = pem(name);
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(base64).unwrap()
}

/// Returns the private key of an algorithm as PEM.
pub(crate) fn private_pem(algorithm: Algorithm) -> String {
    pem(match algorithm {
        Algorithm::EdDsa => "ed25519",
        Algorithm::Es256 => "p256",
        _ => "rsa2048",
    })
}

pub(crate) fn signing_key(algorithm: Algorithm) -> SigningKey {
    SigningKey::from_pem(&private_pem(algorithm)).unwrap()
}

pub(crate) fn public_key(algorithm: Algorithm) -> PublicKey {
    signing_key(algorithm).public_key().clone()
}

pub(crate) fn key_set(algorithm: Algorithm) -> KeySet {
    KeySet::new([public_key(algorithm)]).unwrap()
}

pub(crate) fn issuer(algorithm: Algorithm) -> TokenIssuer {
    let lifetime = Duration::from_secs(900);
    TokenIssuer::new(signing_key(algorithm), ISSUER, AUDIENCE, lifetime).unwrap()
}

pub(crate) fn verifier(keys: KeySet) -> TokenVerifier {
    TokenVerifier::new(keys, ISSUER, AUDIENCE).unwrap()
}

pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

pub(crate) fn token(algorithm: Algorithm) -> String {
    issuer(algorithm).issue(&SUBJECT, now()).unwrap().token
}

/// Verifies a token with the key of this algorithm.
pub(crate) fn verify(algorithm: Algorithm, token: &str) -> Result<Claims, Error> {
    verifier(key_set(algorithm)).verify(token, now())
}

/// Returns a valid payload.
pub(crate) fn payload() -> String {
    format!(
        r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","sub":"42","email":"ada@example.com","iat":{NOW},"exp":{},"jti":"t1","sid":"7"}}"#,
        NOW + 900
    )
}

/// Returns the header that an issuer writes with the key of this algorithm.
pub(crate) fn header(algorithm: Algorithm) -> String {
    let key_id = public_key(algorithm).key_id().to_owned();
    format!(r#"{{"alg":"{algorithm}","typ":"at+jwt","kid":"{key_id}"}}"#)
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Signs a header and a payload with the key of this algorithm, using another library, even if the header is wrong.
pub(crate) fn sign(algorithm: Algorithm, header: &str, payload: &str) -> String {
    let (key, algorithm) = match algorithm {
        Algorithm::EdDsa => (
            EncodingKey::from_ed_der(&der("ed25519")),
            OtherAlgorithm::EdDSA,
        ),
        Algorithm::Es256 => (
            EncodingKey::from_ec_der(&der("p256")),
            OtherAlgorithm::ES256,
        ),
        _ => (
            EncodingKey::from_rsa_der(&der("rsa2048.pkcs1")),
            OtherAlgorithm::RS256,
        ),
    };
    let message = format!("{}.{}", base64url(header), base64url(payload));
    let signature = crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// Signs a header and a payload with HS256 and any bytes as the secret.
pub(crate) fn sign_hs256(header: &str, payload: &str, secret: &[u8]) -> String {
    let message = format!("{}.{}", base64url(header), base64url(payload));
    let key = EncodingKey::from_secret(secret);
    let tag = crypto::sign(message.as_bytes(), &key, OtherAlgorithm::HS256).unwrap();
    format!("{message}.{tag}")
}

/// Returns the text of an [`Error::InvalidKey`].
#[expect(
    clippy::needless_pass_by_value,
    reason = "callers pass results without `&`"
)]
pub(crate) fn invalid_key<T>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::InvalidKey(text)) => text,
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("accepted"),
    }
}
