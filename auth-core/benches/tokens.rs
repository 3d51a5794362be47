//! Measures how long it takes to issue, verify and reject a token, and to hash a password. For comparison,
//! `jsonwebtoken::decode` verifies a token of this crate.

#![expect(
    clippy::unwrap_used,
    reason = "a bench whose setup fails has nothing to measure"
)]

use std::time::{Duration, SystemTime};

use auth_core::{
    Claims, CustomClaimsJson, Error, Keyring, Roles, Scope, Secret, Subject, TokenIssuer,
    TokenVerifier,
};
use divan::{Bencher, black_box};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};
use serde::Deserialize;

const ISSUER: &str = "api-server";
const AUDIENCE: &str = "api";
const SUBJECT: Subject<'_> = Subject {
    id: "0198f2d4-7c1e-7bb3-9a55-3c9a1f6f2b10",
    email: "ada.lovelace@example.com",
    email_verified: Some(true),
    session_id: "0198f2d4-8a02-7d51-8f0e-5d2f4c7b9e21",
};

/// The fields of [`Claims`], so that both libraries allocate the same strings.
#[derive(Deserialize)]
#[expect(dead_code, reason = "the fields are written only")]
struct JsonwebtokenClaims {
    sub: String,
    email: String,
    email_verified: Option<bool>,
    sid: String,
    jti: String,
    iat: i64,
    exp: i64,
}

fn main() {
    divan::main();
}

fn secret() -> Secret {
    Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap()
}

fn unrelated_secret() -> Secret {
    Secret::new("P0aS6fG3dH5cN1bZ7mL4tY8x2qkRv9Jw").unwrap()
}

fn issuer() -> TokenIssuer {
    let keyring = Keyring::new(secret());
    TokenIssuer::new(keyring, ISSUER, AUDIENCE, Duration::from_secs(900)).unwrap()
}

fn token() -> String {
    issuer().issue(&SUBJECT, SystemTime::now()).unwrap().token
}

fn verifier(keyring: Keyring) -> TokenVerifier {
    TokenVerifier::new(keyring, ISSUER, AUDIENCE).unwrap()
}

fn verify(verifier: &TokenVerifier, token: &str) -> Result<Claims, Error> {
    verifier.verify(black_box(token), SystemTime::now())
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn issue(bencher: Bencher<'_, '_>) {
    let issuer = issuer();
    bencher.bench(|| {
        issuer
            .issue(black_box(&SUBJECT), SystemTime::now())
            .unwrap()
    });
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn verify_a_token_of_this_crate(bencher: Bencher<'_, '_>) {
    let (verifier, token) = (verifier(Keyring::new(secret())), token());
    bencher.bench(|| verify(&verifier, &token).is_ok());
}

/// Returns a token with 3 roles and 4 scopes.
fn token_with_roles_and_scopes() -> String {
    let roles = Roles::new(["admin", "editor", "billing.read"]).unwrap();
    let scope = Scope::new("tasks:read tasks:write account:read sessions").unwrap();
    let issuer = issuer();
    let builder = issuer
        .token_for(&SUBJECT)
        .with_roles(&roles)
        .with_scope(&scope);
    builder.issue(SystemTime::now()).unwrap().token
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn verify_a_token_with_3_roles_and_4_scopes(bencher: Bencher<'_, '_>) {
    let (verifier, token) = (
        verifier(Keyring::new(secret())),
        token_with_roles_and_scopes(),
    );
    // divan drops returned values after the measurement. `is_ok` drops the claims during the measurement.
    bencher.bench(|| verify(&verifier, &token).is_ok());
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn verify_with_custom_claims(bencher: Bencher<'_, '_>) {
    #[derive(Deserialize)]
    struct Plan {
        plan: String,
    }
    let custom = CustomClaimsJson::parse(r#"{"plan":"pro"}"#).unwrap();
    let issuer = issuer();
    let builder = issuer.token_for(&SUBJECT).with_custom_claims(&custom);
    let token = builder.issue(SystemTime::now()).unwrap().token;
    let verifier = verifier(Keyring::new(secret()));
    bencher.bench(|| {
        let result = verifier.verify_with(black_box(&token), SystemTime::now());
        result.is_ok_and(|(_, Plan { plan })| plan == "pro")
    });
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn check_a_role_and_a_scope(bencher: Bencher<'_, '_>) {
    let verifier = verifier(Keyring::new(secret()));
    let claims = verify(&verifier, &token_with_roles_and_scopes()).unwrap();
    bencher.bench(|| {
        black_box(&claims).has_role(black_box("billing.read"))
            && black_box(&claims).has_scope(black_box("sessions"))
    });
}

/// `jsonwebtoken` requires `iss`, `aud`, `exp` and `sub`, and checks `nbf` if it is present, like this crate.
#[divan::bench(sample_count = 1000, sample_size = 100)]
fn verify_with_jsonwebtoken(bencher: Bencher<'_, '_>) {
    let token = token();
    let key = DecodingKey::from_secret(secret().expose());
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    validation.leeway = 5;
    bencher.bench(|| {
        jsonwebtoken::decode::<JsonwebtokenClaims>(black_box(&token), &key, &validation).unwrap()
    });
}

/// Verifies a token whose header differs from the header that `TokenIssuer` writes. Such a header must be parsed.
#[divan::bench(sample_count = 1000, sample_size = 100)]
fn verify_a_token_of_another_library(bencher: Bencher<'_, '_>) {
    let header = jsonwebtoken::Header {
        typ: Some("at+jwt".to_owned()),
        ..jsonwebtoken::Header::new(Algorithm::HS256)
    };
    let now = jsonwebtoken::get_current_timestamp();
    let claims = serde_json::json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT.id, "email": SUBJECT.email, "sid": SUBJECT.session_id,
        "iat": now, "exp": now + 900, "jti": "3q2-7wAAAAAAAAAAAAAAAA",
    });
    let verifier = verifier(Keyring::new(secret()));
    let key = EncodingKey::from_secret(secret().expose());
    let token = jsonwebtoken::encode(&header, &claims, &key).unwrap();
    bencher.bench(|| verify(&verifier, &token).unwrap());
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn verify_with_a_previous_secret(bencher: Bencher<'_, '_>) {
    let keyring = Keyring::new(unrelated_secret()).with_previous([secret()]);
    let (verifier, token) = (verifier(keyring), token());
    bencher.bench(|| verify(&verifier, &token).unwrap());
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn reject_a_wrong_mac(bencher: Bencher<'_, '_>) {
    let verifier = verifier(Keyring::new(unrelated_secret()));
    let token = token();
    bencher.bench(|| verify(&verifier, &token).unwrap_err());
}

#[cfg(feature = "password")]
#[divan::bench(sample_count = 10, sample_size = 1)]
fn hash_a_password_at_cost_12(bencher: Bencher<'_, '_>) {
    use auth_core::password::{Cost, Password};
    let password = Password::new("correct horse battery staple").unwrap();
    bencher.bench(|| password.hash(Cost::default()).unwrap());
}
