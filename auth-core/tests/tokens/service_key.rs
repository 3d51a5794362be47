//! A key for each service: the published vectors, and proof that a key is valid for its audience only.

use std::collections::HashSet;
use std::time::{Duration, UNIX_EPOCH};

use auth_core::refresh::{RefreshToken, RefreshTokens};
use auth_core::{Error, Keyring, Secret, Subject, TokenIssuer, TokenVerifier};
use serde_json::{Value, json};

use crate::fixtures::{
    AUDIENCE, HEADER, ISSUER, OTHER_SECRET, Payload, SECRET, SUBJECT, keyring, now, secret,
    verifier,
};
use crate::reference;

const VECTORS: &str = include_str!("../vectors/service-keys.json");
const LIFETIME: Duration = Duration::from_secs(900);

fn vectors() -> Vec<Value> {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    assert_eq!(vectors.len(), 10);
    vectors
}

fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
    vector[name].as_str().unwrap()
}

/// Returns the secret with which the service of this audience is configured.
fn key_of(audience: &str) -> String {
    let derived = secret(SECRET).for_audience(audience).unwrap();
    String::from_utf8(derived.expose().to_vec()).unwrap()
}

/// Returns the verifier of a service that has only its own secret.
fn service(audience: &str) -> TokenVerifier {
    let own = Keyring::new(secret(&key_of(audience)));
    TokenVerifier::new(own, ISSUER, audience).unwrap()
}

#[test]
fn the_published_keys_are_derived() {
    for vector in vectors() {
        let derived = secret(text(&vector, "secret"))
            .for_audience(text(&vector, "audience"))
            .unwrap();
        assert_eq!(derived.expose(), text(&vector, "derived").as_bytes());
        assert_eq!(derived.expose().len(), 43);
        assert!(Secret::new(text(&vector, "derived")).is_ok());
    }
}

#[test]
fn the_published_tokens_are_issued_and_verified() {
    for vector in vectors() {
        let claims = &vector["claims"];
        let audience = text(&vector, "audience");
        let now = UNIX_EPOCH + Duration::from_secs(claims["iat"].as_u64().unwrap());
        let keys = Keyring::new(secret(text(&vector, "secret")))
            .for_audience(audience)
            .unwrap();
        let issuer = TokenIssuer::new(keys, ISSUER, audience, LIFETIME).unwrap();
        let subject = Subject {
            id: text(claims, "sub"),
            email: text(claims, "email"),
            session_id: text(claims, "sid"),
        };
        let id = text(claims, "jti").to_owned();
        let access = issuer.issue_with_id(&subject, id, now).unwrap();
        assert_eq!(access.token, text(&vector, "token"), "{audience}");

        let own = Keyring::new(secret(text(&vector, "derived")));
        let service = TokenVerifier::new(own, ISSUER, audience).unwrap();
        let verified = service.verify(text(&vector, "token"), now);
        assert_eq!(verified, Ok(access.claims), "{audience}");
    }
}

/// The claimed audience is tried alone and as one of several.
#[test]
fn another_service_and_the_server_reject_tokens_of_a_service_key() {
    let keys = ["reports", "billing"].map(|audience| (audience, key_of(audience)));
    for (holder, key) in &keys {
        for aud in [
            json!("reports"),
            json!("billing"),
            json!(AUDIENCE),
            json!(["reports", "billing", AUDIENCE]),
        ] {
            let forged = reference::sign(HEADER, Payload::valid().with("aud", &aud).json(), key);
            let accepted = |verifier: &TokenVerifier| verifier.verify(&forged, now()).is_ok();
            let own = aud == json!(holder) || aud.is_array();
            for (other, _) in &keys {
                let expected = own && other == holder;
                assert_eq!(
                    accepted(&service(other)),
                    expected,
                    "{holder} {aud} {other}"
                );
            }
            assert!(!accepted(&verifier(keyring())), "{holder} {aud}");
            let rotated = keyring().with_previous([secret(OTHER_SECRET)]);
            assert!(!accepted(&verifier(rotated)), "{holder} {aud}");
        }
    }
}

/// A malicious service could try to derive the keys of other services from its own.
#[test]
fn no_key_is_derived_from_another_service_key() {
    let reports = secret(&key_of("reports"));
    let derived = ["billing", "reports", AUDIENCE].map(|audience| {
        let further = reports.for_audience(audience).unwrap();
        String::from_utf8(further.expose().to_vec()).unwrap()
    });
    let direct = ["billing", "reports", AUDIENCE].map(key_of);
    let all: HashSet<_> = derived.iter().chain(&direct).collect();
    assert_eq!(all.len(), 6);
}

#[test]
fn the_server_rejects_a_token_for_a_service() {
    for audience in ["reports", AUDIENCE] {
        let keys = keyring().for_audience(audience).unwrap();
        let issuer = TokenIssuer::new(keys, ISSUER, audience, LIFETIME).unwrap();
        let token = issuer.issue(&SUBJECT, now()).unwrap().token;
        assert!(service(audience).verify(&token, now()).is_ok());
        let result = verifier(keyring()).verify(&token, now());
        assert_eq!(result, Err(Error::SignatureMismatch), "{audience}");
    }
}

#[test]
fn the_key_of_a_service_signs_no_refresh_token() {
    let token = RefreshToken {
        session_id: [7; 16],
        counter: 0,
    };
    let own = Keyring::new(secret(&key_of("reports")));
    let forged = RefreshTokens::new(&own).encode(token);
    let result = RefreshTokens::new(&keyring()).decode(&forged);
    assert_eq!(result, Err(Error::SignatureMismatch));
}

#[test]
fn an_empty_audience_is_rejected() {
    let error = secret(SECRET).for_audience("").unwrap_err();
    assert_eq!(error.to_string(), "the audience must not be empty");
    assert_eq!(keyring().for_audience("").unwrap_err(), error);
}

/// The first zero byte ends the label, so every `info` has one audience.
#[test]
fn audiences_with_a_nul_have_different_keys() {
    let audiences = [
        "a",
        "\0a",
        "a\0",
        "a\0b",
        "a\0\0b",
        "\0",
        "\0\0",
        "b",
        "auth-core audience v1\0a",
    ];
    let keys: HashSet<_> = audiences.map(key_of).into();
    assert_eq!(keys.len(), audiences.len());
}

#[test]
fn a_derived_keyring_keeps_the_order_of_its_secrets() {
    let rotated = Keyring::new(secret(OTHER_SECRET)).with_previous([secret(SECRET)]);
    let keys = rotated.for_audience("reports").unwrap();
    let old = reference::sign(
        HEADER,
        Payload::valid().with("aud", json!("reports")).json(),
        &key_of("reports"),
    );
    let service = TokenVerifier::new(keys.clone(), ISSUER, "reports").unwrap();
    assert!(service.verify(&old, now()).is_ok());

    let current = secret(OTHER_SECRET).for_audience("reports").unwrap();
    assert_eq!(keys.key_id(), Keyring::new(current).key_id());
}

#[test]
fn an_exchanged_token_does_not_outlive_the_original() {
    let keys = keyring().for_audience("reports").unwrap();
    let issuer = TokenIssuer::new(keys, ISSUER, "reports", LIFETIME).unwrap();
    let start = i64::try_from(now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    for (latest, lifetime) in [(1, 1), (899, 899), (900, 900), (901, 900)] {
        let access = issuer.issue_until(&SUBJECT, start + latest, now()).unwrap();
        assert_eq!(access.claims.exp - access.claims.iat, lifetime, "{latest}");
    }
    for offset in [0, -1, -start, i64::MIN] {
        let result = issuer.issue_until(&SUBJECT, start.saturating_add(offset), now());
        assert_eq!(result.map(|_issued| ()), Err(Error::Expired), "{offset}");
    }
    let one = issuer.issue_until(&SUBJECT, start + 9, now()).unwrap();
    let other = issuer.issue_until(&SUBJECT, start + 9, now()).unwrap();
    assert_ne!(one.claims.jti, other.claims.jti);
}
