//! Tests the header, the claims, the MAC and the length of issued tokens, and the limits of the issuer's settings.

mod builder;

use std::collections::HashSet;
use std::time::{Duration, UNIX_EPOCH};

use auth_core::{ACCESS_TOKEN_TYPE, Error, MAX_TOKEN_BYTES, Subject, TokenIssuer, TokenVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::fixtures::{
    AUDIENCE, ISSUER, NOW, SECRET, SUBJECT, issuer, keyring, now, valid_token, verifier, verify,
};
use crate::reference::mac;

/// Decodes one part of a token as JSON.
fn decode_part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn issuer_with_lifetime(lifetime: Duration) -> Result<TokenIssuer, Error> {
    TokenIssuer::new(keyring(), ISSUER, AUDIENCE, lifetime)
}

#[test]
fn a_token_has_exactly_the_documented_header_and_claims() {
    let issued_token = issuer(keyring()).issue(&SUBJECT, now()).unwrap();
    let kid = keyring().key_id().to_owned();
    assert_eq!(
        decode_part(&issued_token.token, 0),
        json!({"alg": "HS256", "typ": ACCESS_TOKEN_TYPE, "kid": kid})
    );
    assert_eq!(
        decode_part(&issued_token.token, 1),
        json!({
            "iss": "api-server", "aud": "api", "sub": "42", "email": "ada@example.com",
            "email_verified": true, "sid": "7",
            "iat": NOW, "exp": NOW + 900, "jti": issued_token.claims.jti,
        })
    );
}

#[test]
fn email_verified_is_a_boolean_or_absent() {
    for email_verified in [Some(true), Some(false), None] {
        let subject = Subject {
            email_verified,
            ..SUBJECT
        };
        let issued_token = issuer(keyring()).issue(&subject, now()).unwrap();
        let payload = decode_part(&issued_token.token, 1);
        let claim = payload.get("email_verified").cloned();
        assert_eq!(claim, email_verified.map(Value::Bool));
        assert_eq!(issued_token.claims.email_verified, email_verified);
        let verified_claims = verify(&issued_token.token).unwrap();
        assert_eq!(verified_claims.email_verified, email_verified);
    }
}

#[test]
fn the_mac_is_hmac_sha_256_of_the_text_under_the_secret() {
    let token = valid_token();
    let (message, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(signature, mac(message, SECRET));
}

#[test]
fn the_verifier_returns_the_same_claims_as_the_issuer() {
    let issued_token = issuer(keyring()).issue(&SUBJECT, now()).unwrap();
    assert_eq!(verify(&issued_token.token), Ok(issued_token.claims));
}

#[test]
fn every_token_has_a_unique_jti_of_128_bits() {
    let issuer = issuer(keyring());
    let token_ids: HashSet<String> = (0..1000)
        .map(|_| issuer.issue(&SUBJECT, now()).unwrap().claims.jti)
        .collect();
    assert_eq!(token_ids.len(), 1000);
    let byte_count = |id: &String| URL_SAFE_NO_PAD.decode(id).unwrap().len();
    assert!(token_ids.iter().all(|id| byte_count(id) == 16));
}

#[test]
fn times_are_whole_seconds_rounded_down() {
    let fractional_time = now() + Duration::from_millis(999);
    let claims = issuer(keyring())
        .issue(&SUBJECT, fractional_time)
        .unwrap()
        .claims;
    let iat = i64::try_from(NOW).unwrap();
    assert_eq!((claims.iat, claims.exp), (iat, iat + 900));
    assert_eq!(claims.expires_at(), now() + Duration::from_secs(900));
    let before_1970 = UNIX_EPOCH.checked_sub(Duration::from_millis(500)).unwrap();
    let claims_before_1970 = issuer(keyring())
        .issue(&SUBJECT, before_1970)
        .unwrap()
        .claims;
    assert_eq!(claims_before_1970.iat, -1);
}

#[test]
fn a_lifetime_is_1_second_to_400_days() {
    let max_lifetime = Duration::from_secs(400 * 86_400);
    for (duration, seconds) in [
        (Duration::from_secs(1), 1),
        (Duration::from_millis(1999), 1),
        (Duration::from_secs(2), 2),
        (Duration::from_secs(34_559_999), 34_559_999),
        (max_lifetime, 34_560_000),
    ] {
        let issuer = issuer_with_lifetime(duration).unwrap();
        assert_eq!(issuer.lifetime_seconds(), seconds, "{duration:?}");
        let claims = issuer.issue(&SUBJECT, now()).unwrap().claims;
        assert_eq!(claims.exp - claims.iat, seconds, "{duration:?}");
    }
    for duration in [
        Duration::ZERO,
        Duration::from_millis(999),
        max_lifetime + Duration::from_nanos(1),
        max_lifetime + Duration::from_secs(1),
        Duration::MAX,
    ] {
        let result = issuer_with_lifetime(duration).map(|_issuer| ());
        assert!(
            matches!(result, Err(Error::InvalidSetting(_))),
            "{duration:?}"
        );
    }
}

#[test]
fn issuer_and_audience_are_not_empty() {
    let day = Duration::from_secs(86_400);
    for (iss, aud) in [("", "api"), ("api-server", ""), ("", "")] {
        let issuer_result = TokenIssuer::new(keyring(), iss, aud, day).map(|_issuer| ());
        assert!(
            matches!(issuer_result, Err(Error::InvalidSetting(_))),
            "{iss:?} {aud:?}"
        );
        let verifier_result = TokenVerifier::new(keyring(), iss, aud).map(|_verifier| ());
        assert!(
            matches!(verifier_result, Err(Error::InvalidSetting(_))),
            "{iss:?} {aud:?}"
        );
    }
}

#[test]
fn a_subject_that_every_verifier_rejects_gets_no_token() {
    for id in ["", " ", " 42", "42 ", "42\n", "\u{a0}42"] {
        let result = issuer(keyring()).issue(&Subject { id, ..SUBJECT }, now());
        assert_eq!(result.unwrap_err(), Error::InvalidClaim("sub"), "{id:?}");
    }
}

#[test]
fn no_issued_token_is_too_long_to_verify() {
    let mut longest_email_length = 0;
    for length in 5000..6500 {
        let email = "x".repeat(length);
        let subject = Subject {
            email: &email,
            ..SUBJECT
        };
        match issuer(keyring()).issue(&subject, now()) {
            Ok(issued_token) => {
                longest_email_length = length;
                assert!(issued_token.token.len() <= MAX_TOKEN_BYTES, "{length}");
            }
            Err(error) => assert_eq!(error, Error::TokenTooLong, "{length}"),
        }
    }
    let email = "x".repeat(longest_email_length);
    let subject = Subject {
        email: &email,
        ..SUBJECT
    };
    let token = issuer(keyring()).issue(&subject, now()).unwrap().token;
    assert_eq!(token.len(), MAX_TOKEN_BYTES);
    assert!(verify(&token).is_ok(), "{longest_email_length}");
}

/// A cookie with the token stays far below the 4096 bytes that browsers should support at least (RFC 6265 § 6.1).
#[test]
fn a_token_of_the_longest_usual_subject_is_below_1_kib() {
    let email = "x".repeat(254);
    let subject = Subject {
        id: "0198f2d4-7c1e-7bb3-9a55-3c9a1f6f2b10",
        email: &email,
        email_verified: Some(true),
        session_id: "0198f2d4-8a02-7d51-8f0e-5d2f4c7b9e21",
    };
    let token = issuer(keyring()).issue(&subject, now()).unwrap().token;
    assert!(token.len() < 1024, "{}", token.len());
}

#[test]
fn issuers_and_verifiers_work_in_several_threads() {
    let (issuer, verifier) = (issuer(keyring()), verifier(keyring()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (issuer, verifier) = (issuer.clone(), &verifier);
            scope.spawn(move || {
                let token = issuer.issue(&SUBJECT, now()).unwrap().token;
                assert!(verifier.verify(&token, now()).is_ok());
            });
        }
    });
}
