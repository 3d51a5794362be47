//! The requests of the table whose tokens break a rule for tokens with a public key.

use auth_core::public_key::{Algorithm, SigningKey};
use serde_json::{Value, json};

use super::{Case, token_case};
use crate::fixtures::{sign, sign_with_key, signing_key, token_with_key, valid_claims};

/// Returns the header of a token with the key of the issuer, after adding or replacing this member.
fn header_with(name: &str, value: impl Into<Value>) -> Value {
    let mut header: Value = json!({
        "alg": "EdDSA", "typ": "at+jwt", "kid": signing_key().public_key().key_id(),
    });
    let members = header.as_object_mut().unwrap();
    members.insert(name.to_owned(), value.into());
    header
}

/// Returns requests whose tokens have an unacceptable key id, algorithm, signature or type.
pub(super) fn key_cases() -> Vec<Case> {
    let unknown_id = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let signed = |header: &Value| sign_with_key(header, &valid_claims());
    let (message, _) = token_with_key()
        .rsplit_once('.')
        .map(|(message, signature)| (message.to_owned(), signature.to_owned()))
        .unwrap();
    let mut header_without_id = header_with("typ", "at+jwt");
    header_without_id.as_object_mut().unwrap().remove("kid");
    let another_key = "The token algorithm is not the algorithm of its key";
    [
        (
            "an unknown key",
            signed(&header_with("kid", unknown_id.public_key().key_id())),
            "The key of the token is not known",
        ),
        (
            "no key",
            signed(&header_without_id),
            "The token does not name its key (kid)",
        ),
        (
            "the algorithm of another key",
            signed(&header_with("alg", "ES256")),
            another_key,
        ),
        (
            "a forged signature",
            format!("{message}.{}", "A".repeat(86)),
            "The token signature does not match",
        ),
        (
            "an ID token",
            signed(&header_with("typ", "JWT")),
            "The token type must be at+jwt",
        ),
        (
            "a secret for the id of a key",
            sign(&header_with("alg", "EdDSA"), &valid_claims()),
            "The token signature does not match",
        ),
    ]
    .map(|(name, token, detail)| token_case(name, &token, "INVALID_TOKEN", detail))
    .into()
}
