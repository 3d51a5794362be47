//! Measures how long it takes to issue and verify a token with a signing key and its public key. For comparison, the
//! crates `ed25519-dalek` and `p256` verify the same signature without a token, and `jsonwebtoken` verifies the same
//! token.

#![expect(
    clippy::unwrap_used,
    reason = "a bench whose setup fails has nothing to measure"
)]

use std::time::{Duration, SystemTime};

use auth_core::public_key::{Algorithm, KeySet, SigningKey};
use auth_core::{Subject, TokenIssuer, TokenVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use divan::{Bencher, black_box};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use p256::ecdsa::signature::Verifier as _;
use p256::pkcs8::DecodePublicKey as _;

const ISSUER: &str = "api-server";
const AUDIENCE: &str = "api";
const SUBJECT: Subject<'_> = Subject {
    id: "0198f2d4-7c1e-7bb3-9a55-3c9a1f6f2b10",
    email: "ada.lovelace@example.com",
    email_verified: Some(true),
    session_id: "0198f2d4-8a02-7d51-8f0e-5d2f4c7b9e21",
};

fn main() {
    divan::main();
}

/// A signing key, a token that it signed, and the parts of the token.
struct Signed {
    key: SigningKey,
    token: String,
    message: String,
    signature: Vec<u8>,
}

fn issuer(key: SigningKey) -> TokenIssuer {
    TokenIssuer::new(key, ISSUER, AUDIENCE, Duration::from_secs(900)).unwrap()
}

fn sign(algorithm: Algorithm) -> Signed {
    let key = SigningKey::generate(algorithm).unwrap();
    let token = issuer(key.clone())
        .issue(&SUBJECT, SystemTime::now())
        .unwrap()
        .token;
    let (message, signature) = token.rsplit_once('.').unwrap();
    Signed {
        message: message.to_owned(),
        signature: URL_SAFE_NO_PAD.decode(signature).unwrap(),
        key,
        token,
    }
}

fn keys(key: &SigningKey) -> KeySet {
    KeySet::new([key.public_key().clone()]).unwrap()
}

fn bench_verification(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    let Signed { key, token, .. } = sign(algorithm);
    let verifier = TokenVerifier::new(keys(&key), ISSUER, AUDIENCE).unwrap();
    bencher.bench(|| {
        verifier
            .verify(black_box(&token), SystemTime::now())
            .unwrap()
    });
}

fn bench_issuing(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    let issuer = issuer(SigningKey::generate(algorithm).unwrap());
    bencher.bench(|| {
        issuer
            .issue(black_box(&SUBJECT), SystemTime::now())
            .unwrap()
    });
}

fn bench_jsonwebtoken(
    bencher: Bencher<'_, '_>,
    algorithm: Algorithm,
    other_algorithm: jsonwebtoken::Algorithm,
) {
    let Signed { key, token, .. } = sign(algorithm);
    let set: JwkSet = serde_json::from_str(&keys(&key).to_jwks()).unwrap();
    let key = DecodingKey::from_jwk(set.keys.first().unwrap()).unwrap();
    let mut validation = Validation::new(other_algorithm);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    bencher.bench(|| {
        let token = black_box(&token);
        jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation).unwrap()
    });
}

#[divan::bench(sample_count = 200, sample_size = 20)]
fn eddsa_verify(bencher: Bencher<'_, '_>) {
    bench_verification(bencher, Algorithm::EdDsa);
}

#[divan::bench(sample_count = 200, sample_size = 20)]
fn eddsa_verify_with_ed25519_dalek(bencher: Bencher<'_, '_>) {
    let signed = sign(Algorithm::EdDsa);
    let pem = signed.key.public_key().to_pem().unwrap();
    let key = ed25519_dalek::VerifyingKey::from_public_key_pem(&pem).unwrap();
    bencher.bench(|| {
        let signature = ed25519_dalek::Signature::from_slice(black_box(&signed.signature)).unwrap();
        key.verify_strict(black_box(signed.message.as_bytes()), &signature)
            .unwrap();
    });
}

#[divan::bench(sample_count = 200, sample_size = 20)]
fn eddsa_verify_with_jsonwebtoken(bencher: Bencher<'_, '_>) {
    bench_jsonwebtoken(bencher, Algorithm::EdDsa, jsonwebtoken::Algorithm::EdDSA);
}

#[divan::bench(sample_count = 200, sample_size = 20)]
fn eddsa_issue(bencher: Bencher<'_, '_>) {
    bench_issuing(bencher, Algorithm::EdDsa);
}

#[divan::bench(sample_count = 200, sample_size = 5)]
fn es256_verify(bencher: Bencher<'_, '_>) {
    bench_verification(bencher, Algorithm::Es256);
}

#[divan::bench(sample_count = 200, sample_size = 5)]
fn es256_verify_with_p256(bencher: Bencher<'_, '_>) {
    let signed = sign(Algorithm::Es256);
    let pem = signed.key.public_key().to_pem().unwrap();
    let key = p256::ecdsa::VerifyingKey::from_public_key_pem(&pem).unwrap();
    bencher.bench(|| {
        let signature = p256::ecdsa::Signature::from_slice(black_box(&signed.signature)).unwrap();
        key.verify(black_box(signed.message.as_bytes()), &signature)
            .unwrap();
    });
}

#[divan::bench(sample_count = 200, sample_size = 5)]
fn es256_verify_with_jsonwebtoken(bencher: Bencher<'_, '_>) {
    bench_jsonwebtoken(bencher, Algorithm::Es256, jsonwebtoken::Algorithm::ES256);
}

#[divan::bench(sample_count = 200, sample_size = 5)]
fn es256_issue(bencher: Bencher<'_, '_>) {
    bench_issuing(bencher, Algorithm::Es256);
}
