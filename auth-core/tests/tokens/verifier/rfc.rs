//! The JWT examples of the RFCs. None is an access token of this profile, so all are rejected. A complete token with
//! the same `exp` tests their time rules.

use std::time::{Duration, UNIX_EPOCH};

use auth_core::{Error, Keyring, Secret, TokenVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::fixtures::{AUDIENCE, Payload, error_name, keyring, verify_payload};

const RFC: &str = include_str!("../../vectors/rfc_jws_jwt.json");
/// `exp` in RFC 7519 § 3.1.
const EXP: u64 = 1_300_819_380;

fn vectors() -> Vec<Value> {
    let mut vectors: Vec<Value> = serde_json::from_str(RFC).unwrap();
    assert_eq!(vectors.len(), 15);
    vectors.retain(|vector| vector["layer"] == "jwt");
    assert_eq!(vectors.len(), 5);
    vectors
}

#[test]
fn no_jwt_of_the_rfcs_is_an_access_token() {
    let reasons = [
        // The token has not expired, but its `typ` is `JWT`: another kind of token (RFC 8725 § 3.11). Claims are
        // missing, too.
        ("rfc7519-3.1-before-exp", "header"),
        // The token has expired as well, but the header is checked before the payload.
        ("rfc7519-3.1-at-exp", "header"),
        ("rfc7519-3.1-today", "header"),
        // The token has no `typ`, and its payload is not JSON but a sentence.
        ("rfc7520-4.4-as-jwt", "header"),
        // Five parts: a JWE.
        ("rfc7519-A.1-jwe", "malformed"),
    ];
    for (vector, (id, reason)) in vectors().iter().zip(reasons) {
        assert_eq!(vector["id"], id);
        let secret = vector["jwk"]["k"].as_str().map_or_else(
            || Secret::generate().unwrap(),
            |key| Secret::new(URL_SAFE_NO_PAD.decode(key).unwrap()).unwrap(),
        );
        let verifier = TokenVerifier::new(Keyring::new(secret), "joe", AUDIENCE).unwrap();
        let clock = Duration::from_secs(vector["now"].as_u64().unwrap_or(EXP));
        let result = verifier.verify(vector["token"].as_str().unwrap(), UNIX_EPOCH + clock);
        assert_eq!(error_name(&result), reason, "{id}");
    }
}

/// RFC 7519 § 4.1.4: a token must be rejected "on or after" `exp`. The times are those of the vectors, without leeway.
#[test]
fn the_time_rules_of_the_rfc_apply_to_a_complete_token() {
    let verifier = TokenVerifier::new(keyring(), "joe", AUDIENCE)
        .and_then(|verifier| verifier.with_leeway(Duration::ZERO))
        .unwrap();
    let payload = Payload::valid()
        .with("iss", r#""joe""#)
        .with("http://example.com/is_root", "true")
        .with("iat", EXP - 900)
        .with("exp", EXP);
    let mut clocks = Vec::new();
    for vector in vectors() {
        let Some("rfc7519-3.1-before-exp" | "rfc7519-3.1-at-exp" | "rfc7519-3.1-today") =
            vector["id"].as_str()
        else {
            continue;
        };
        let clock = vector["now"].as_u64().unwrap();
        let result = verify_payload(
            &verifier,
            payload.json(),
            UNIX_EPOCH + Duration::from_secs(clock),
        );
        let result = result.map(|_claims| "accept");
        let expected = match vector["expect"].as_str() {
            Some("accept") => Ok("accept"),
            _ => Err(Error::Expired),
        };
        assert_eq!(result, expected, "{clock}");
        clocks.push(clock);
    }
    assert_eq!(clocks, [EXP - 1, EXP, 1_700_000_000]);
}
