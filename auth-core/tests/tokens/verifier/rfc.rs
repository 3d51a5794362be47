//! Tests the JWT examples of the RFCs. No example is an access token of this library, so every example is
//! rejected. A complete access token with the `exp` of an example tests the rule about expiry.

use std::time::{Duration, UNIX_EPOCH};

use auth_core::{Error, Keyring, Secret, TokenVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::fixtures::{AUDIENCE, Payload, error_name, keyring, verify_payload};

const RFC_VECTORS: &str = include_str!("../../vectors/rfc_jws_jwt.json");
/// The `exp` of the example in RFC 7519 § 3.1.
const EXAMPLE_EXP: u64 = 1_300_819_380;

/// Returns the vectors that are JWTs. The file also contains vectors of other JWS.
fn jwt_vectors() -> Vec<Value> {
    let mut vectors: Vec<Value> = serde_json::from_str(RFC_VECTORS).unwrap();
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
        // The same token at and after its `exp`: the reason stays the header, which is checked before the claims.
        ("rfc7519-3.1-at-exp", "header"),
        ("rfc7519-3.1-today", "header"),
        // The token has no `typ`, and its payload is not JSON but a sentence.
        ("rfc7520-4.4-as-jwt", "header"),
        // A token of five parts is a JWE.
        ("rfc7519-A.1-jwe", "malformed"),
    ];
    for (vector, (id, reason)) in jwt_vectors().iter().zip(reasons) {
        assert_eq!(vector["id"], id);
        let secret = vector["jwk"]["k"].as_str().map_or_else(
            || Secret::generate().unwrap(),
            |key| Secret::new(URL_SAFE_NO_PAD.decode(key).unwrap()).unwrap(),
        );
        let verifier = TokenVerifier::new(Keyring::new(secret), "joe", AUDIENCE).unwrap();
        let since_1970 = Duration::from_secs(vector["now"].as_u64().unwrap_or(EXAMPLE_EXP));
        let result = verifier.verify(vector["token"].as_str().unwrap(), UNIX_EPOCH + since_1970);
        assert_eq!(error_name(&result), reason, "{id}");
    }
}

/// RFC 7519 § 4.1.4: a token must be rejected "on or after" `exp`. The test uses the times of the vectors
/// and no leeway.
#[test]
fn the_time_rules_of_the_rfc_apply_to_a_complete_token() {
    let verifier = TokenVerifier::new(keyring(), "joe", AUDIENCE)
        .and_then(|verifier| verifier.with_leeway(Duration::ZERO))
        .unwrap();
    let payload = Payload::valid()
        .with("iss", r#""joe""#)
        .with("http://example.com/is_root", "true")
        .with("iat", EXAMPLE_EXP - 900)
        .with("exp", EXAMPLE_EXP);
    let mut tested_seconds = Vec::new();
    for vector in jwt_vectors() {
        let Some("rfc7519-3.1-before-exp" | "rfc7519-3.1-at-exp" | "rfc7519-3.1-today") =
            vector["id"].as_str()
        else {
            continue;
        };
        let seconds = vector["now"].as_u64().unwrap();
        let result = verify_payload(
            &verifier,
            payload.json(),
            UNIX_EPOCH + Duration::from_secs(seconds),
        );
        let outcome = result.map(|_claims| "accept");
        let expected = match vector["expect"].as_str() {
            Some("accept") => Ok("accept"),
            _ => Err(Error::Expired),
        };
        assert_eq!(outcome, expected, "{seconds}");
        tested_seconds.push(seconds);
    }
    assert_eq!(
        tested_seconds,
        [EXAMPLE_EXP - 1, EXAMPLE_EXP, 1_700_000_000]
    );
}
