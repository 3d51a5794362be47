//! Tests the keys of services: the published test vectors, and that each key is valid only for one audience.

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
    assert_eq!(vectors.len(), 12);
    vectors
}

/// Returns a text member of a JSON object.
fn text_member<'o>(object: &'o Value, name: &str) -> &'o str {
    object[name].as_str().unwrap()
}

/// Returns the secret with which the service of this audience is configured.
fn derived_key(audience: &str) -> String {
    let derived_secret = secret(SECRET).for_audience(audience).unwrap();
    String::from_utf8(derived_secret.expose().to_vec()).unwrap()
}

/// Returns the verifier of a service, which has only the derived secret for this audience.
fn service_verifier(audience: &str) -> TokenVerifier {
    let derived_keyring = Keyring::new(secret(&derived_key(audience)));
    TokenVerifier::new(derived_keyring, ISSUER, audience).unwrap()
}

#[test]
fn the_published_keys_are_derived() {
    for vector in vectors() {
        let derived_secret = secret(text_member(&vector, "secret"))
            .for_audience(text_member(&vector, "audience"))
            .unwrap();
        assert_eq!(
            derived_secret.expose(),
            text_member(&vector, "derived").as_bytes()
        );
        assert_eq!(derived_secret.expose().len(), 43);
        assert!(Secret::new(text_member(&vector, "derived")).is_ok());
    }
}

#[test]
fn the_published_tokens_are_issued_and_verified() {
    for vector in vectors() {
        let claims = &vector["claims"];
        let audience = text_member(&vector, "audience");
        let now = UNIX_EPOCH + Duration::from_secs(claims["iat"].as_u64().unwrap());
        let issuer_keyring = Keyring::new(secret(text_member(&vector, "secret")))
            .for_audience(audience)
            .unwrap();
        let issuer = TokenIssuer::new(issuer_keyring, ISSUER, audience, LIFETIME).unwrap();
        let subject = Subject {
            id: text_member(claims, "sub"),
            email: text_member(claims, "email"),
            email_verified: claims.get("email_verified").and_then(Value::as_bool),
            session_id: text_member(claims, "sid"),
        };
        let token_id = text_member(claims, "jti").to_owned();
        let issued_token = issuer.issue_with_id(&subject, token_id, now).unwrap();
        assert_eq!(
            issued_token.token,
            text_member(&vector, "token"),
            "{audience}"
        );

        let derived_keyring = Keyring::new(secret(text_member(&vector, "derived")));
        let verifier = TokenVerifier::new(derived_keyring, ISSUER, audience).unwrap();
        let result = verifier.verify(text_member(&vector, "token"), now);
        assert_eq!(result, Ok(issued_token.claims), "{audience}");
    }
}

/// Each token is signed with the key of one service, and its `aud` is one of three audiences or all three.
#[test]
fn another_service_and_the_server_reject_tokens_of_a_service_key() {
    let keys = ["reports", "billing"].map(|audience| (audience, derived_key(audience)));
    for (key_audience, key) in &keys {
        for claimed_audience in [
            json!("reports"),
            json!("billing"),
            json!(AUDIENCE),
            json!(["reports", "billing", AUDIENCE]),
        ] {
            let forged_token = reference::sign(
                HEADER,
                Payload::valid().with("aud", &claimed_audience).json(),
                key,
            );
            let is_accepted_by =
                |verifier: &TokenVerifier| verifier.verify(&forged_token, now()).is_ok();
            let is_claimed = claimed_audience == json!(key_audience) || claimed_audience.is_array();
            for (service_audience, _) in &keys {
                let expected = is_claimed && service_audience == key_audience;
                assert_eq!(
                    is_accepted_by(&service_verifier(service_audience)),
                    expected,
                    "{key_audience} {claimed_audience} {service_audience}"
                );
            }
            assert!(
                !is_accepted_by(&verifier(keyring())),
                "{key_audience} {claimed_audience}"
            );
            let rotated_keyring = keyring().with_previous([secret(OTHER_SECRET)]);
            assert!(
                !is_accepted_by(&verifier(rotated_keyring)),
                "{key_audience} {claimed_audience}"
            );
        }
    }
}

/// A malicious service could call `for_audience` on its own key. The result must not be the key of any service.
#[test]
fn no_key_is_derived_from_another_service_key() {
    let reports_secret = secret(&derived_key("reports"));
    let derived_twice = ["billing", "reports", AUDIENCE].map(|audience| {
        let derived_secret = reports_secret.for_audience(audience).unwrap();
        String::from_utf8(derived_secret.expose().to_vec()).unwrap()
    });
    let derived_once = ["billing", "reports", AUDIENCE].map(derived_key);
    let all_keys: HashSet<_> = derived_twice.iter().chain(&derived_once).collect();
    assert_eq!(all_keys.len(), 6);
}

#[test]
fn the_server_rejects_a_token_for_a_service() {
    for audience in ["reports", AUDIENCE] {
        let service_keyring = keyring().for_audience(audience).unwrap();
        let issuer = TokenIssuer::new(service_keyring, ISSUER, audience, LIFETIME).unwrap();
        let token = issuer.issue(&SUBJECT, now()).unwrap().token;
        assert!(service_verifier(audience).verify(&token, now()).is_ok());
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
    let derived_keyring = Keyring::new(secret(&derived_key("reports")));
    let forged_token = RefreshTokens::new(&derived_keyring).encode(token);
    let result = RefreshTokens::new(&keyring()).decode(&forged_token);
    assert_eq!(result, Err(Error::SignatureMismatch));
}

#[test]
fn an_empty_audience_is_rejected() {
    let error = secret(SECRET).for_audience("").unwrap_err();
    assert_eq!(error.to_string(), "the audience must not be empty");
    assert_eq!(keyring().for_audience("").unwrap_err(), error);
}

/// The HKDF `info` is a fixed label, a zero byte and the audience. So different audiences have different `info`, even
/// if an audience contains zero bytes.
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
    let keys: HashSet<_> = audiences.map(derived_key).into();
    assert_eq!(keys.len(), audiences.len());
}

#[test]
fn a_derived_keyring_keeps_the_order_of_its_secrets() {
    let rotated_keyring = Keyring::new(secret(OTHER_SECRET)).with_previous([secret(SECRET)]);
    let derived_keyring = rotated_keyring.for_audience("reports").unwrap();
    let old_token = reference::sign(
        HEADER,
        Payload::valid().with("aud", json!("reports")).json(),
        &derived_key("reports"),
    );
    let verifier = TokenVerifier::new(derived_keyring.clone(), ISSUER, "reports").unwrap();
    assert!(verifier.verify(&old_token, now()).is_ok());

    let current_secret = secret(OTHER_SECRET).for_audience("reports").unwrap();
    assert_eq!(
        derived_keyring.key_id(),
        Keyring::new(current_secret).key_id()
    );
}

#[test]
fn a_token_that_is_issued_until_a_time_expires_at_that_time_at_the_latest() {
    let service_keyring = keyring().for_audience("reports").unwrap();
    let issuer = TokenIssuer::new(service_keyring, ISSUER, "reports", LIFETIME).unwrap();
    let issued_at = i64::try_from(now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    for (seconds_left, lifetime) in [(1, 1), (899, 899), (900, 900), (901, 900)] {
        let issued_token = issuer
            .issue_until(&SUBJECT, issued_at + seconds_left, now())
            .unwrap();
        assert_eq!(
            issued_token.claims.exp - issued_token.claims.iat,
            lifetime,
            "{seconds_left}"
        );
    }
    for offset in [0, -1, -issued_at, i64::MIN] {
        let result = issuer.issue_until(&SUBJECT, issued_at.saturating_add(offset), now());
        assert_eq!(result.map(|_issued| ()), Err(Error::Expired), "{offset}");
    }
    let first_token = issuer.issue_until(&SUBJECT, issued_at + 9, now()).unwrap();
    let second_token = issuer.issue_until(&SUBJECT, issued_at + 9, now()).unwrap();
    assert_ne!(first_token.claims.jti, second_token.claims.jti);
}
