//! Tests secrets, key ids and keyrings with previous secrets (RFC 7515 § 4.1.4, RFC 7518 § 3.2).

mod rotation;

use auth_core::{Error, Keyring, Secret};

use crate::fixtures::{
    HEADER, OTHER_SECRET, Payload, SECRET, SUBJECT, issuer, keyring, now, secret, valid_token,
    verifier, verify,
};
use crate::{fixtures, reference};

const THIRD_SECRET: &str = "Zq7uW4nXc9vB2mK8sD5fG1hJ6kL0pO3i";

#[test]
fn a_secret_has_at_least_32_bytes() {
    for (length, is_accepted) in [(0, false), (1, false), (31, false), (32, true), (33, true)] {
        let text = format!("{SECRET}{OTHER_SECRET}");
        let result = Secret::new(&text[..length]).map(|_secret| ());
        if is_accepted {
            assert_eq!(result, Ok(()), "{length}");
        } else {
            let reason = result.unwrap_err().to_string();
            assert!(
                reason.contains("32 bytes") && reason.contains("openssl rand"),
                "{reason}"
            );
        }
    }
}

#[test]
fn well_known_secrets_are_rejected_at_any_length() {
    for sample in ["secret", "changeme", "password", "your-256-bit-secret"] {
        for length in [32, 33, 64, 1000] {
            for padding in [sample, "0", "x", "!", "1234567890", " "] {
                let text = format!("{sample}{}", padding.repeat(length));
                let result = Secret::new(&text[..length]);
                assert!(matches!(result, Err(Error::WeakSecret(_))), "{text}");
            }
        }
    }
}

#[test]
fn a_secret_has_at_least_6_distinct_bytes() {
    let result = Secret::new("qjzwv".repeat(8));
    assert!(matches!(result, Err(Error::WeakSecret(_))));
    assert!(Secret::new("qjzwvk".repeat(8)).is_ok());
}

#[test]
fn tokens_of_a_previous_secret_stay_valid() {
    let old_token = valid_token();
    let rotated_keyring = Keyring::new(secret(OTHER_SECRET)).with_previous([secret(SECRET)]);
    let rotated_verifier = verifier(rotated_keyring.clone());
    assert_eq!(
        rotated_verifier.verify(&old_token, now()).unwrap().sub,
        "42"
    );

    let new_token = issuer(rotated_keyring)
        .issue(&SUBJECT, now())
        .unwrap()
        .token;
    assert!(rotated_verifier.verify(&new_token, now()).is_ok());
    assert_eq!(
        verify(&new_token),
        Err(Error::SignatureMismatch),
        "a verifier that was not updated"
    );

    let new_secret_verifier = verifier(Keyring::new(secret(OTHER_SECRET)));
    assert_eq!(
        new_secret_verifier.verify(&old_token, now()),
        Err(Error::SignatureMismatch)
    );
}

#[test]
fn two_previous_secrets_verify_and_neither_of_them_signs() {
    let keyring_of_three_secrets = Keyring::new(secret(THIRD_SECRET))
        .with_previous([secret(OTHER_SECRET)])
        .with_previous([secret(SECRET)]);
    for text in [SECRET, OTHER_SECRET, THIRD_SECRET] {
        let token = reference::sign(HEADER, Payload::valid().json(), text);
        assert!(
            verifier(keyring_of_three_secrets.clone())
                .verify(&token, now())
                .is_ok(),
            "{text}"
        );
    }
    let token = issuer(keyring_of_three_secrets)
        .issue(&SUBJECT, now())
        .unwrap()
        .token;
    let (message, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(signature, reference::mac(message, THIRD_SECRET));
}

#[test]
fn a_token_of_a_secret_outside_the_keyring_is_rejected() {
    let token = reference::sign(HEADER, Payload::valid().json(), OTHER_SECRET);
    assert_eq!(verify(&token), Err(Error::SignatureMismatch));
    let keyring_of_two_secrets = keyring().with_previous([secret(THIRD_SECRET)]);
    assert_eq!(
        verifier(keyring_of_two_secrets).verify(&token, now()),
        Err(Error::SignatureMismatch)
    );
}

/// The forged token has the header that the issuer writes, with the right key id, but is signed with another secret.
#[test]
fn a_recognised_header_does_not_replace_the_mac() {
    let issued_token = valid_token();
    let parts: Vec<&str> = issued_token.split('.').collect();
    let forged_token = reference::sign_parts(parts[0], parts[1], OTHER_SECRET);
    assert_eq!(verify(&forged_token), Err(Error::SignatureMismatch));
    let rotated_keyring = keyring().with_previous([secret(THIRD_SECRET)]);
    let result = verifier(rotated_keyring).verify(&forged_token, now());
    assert_eq!(result, Err(Error::SignatureMismatch));
}

#[test]
fn the_key_id_is_the_same_for_the_same_secret() {
    let key_id = keyring().key_id().to_owned();
    assert_eq!(
        key_id,
        keyring().with_previous([secret(OTHER_SECRET)]).key_id()
    );
    assert_ne!(key_id, Keyring::new(secret(OTHER_SECRET)).key_id());
}

/// The key id is the first 9 bytes of the HMAC-SHA-256 of a fixed label under the secret.
#[test]
fn the_key_id_is_computed_as_documented() {
    let mac = reference::mac("auth-core key id v1", SECRET);
    assert_eq!(keyring().key_id(), &mac[..12]);
}

#[test]
fn debug_output_contains_no_secret() {
    let keyring = keyring().with_previous([secret(OTHER_SECRET)]);
    let debug_output = format!(
        "{:?} {keyring:?} {:?} {:?} {:?}",
        secret(SECRET),
        issuer(keyring.clone()),
        verifier(keyring.clone()),
        issuer(keyring.clone())
            .issue(&fixtures::SUBJECT, now())
            .unwrap(),
    );
    for text in [SECRET, OTHER_SECRET] {
        assert!(!debug_output.contains(&text[..8]), "{debug_output}");
        assert!(!debug_output.contains(&reference::base64url(text.as_bytes())[..8]));
    }
    assert!(debug_output.contains(r#"AccessToken { token: "[redacted]", claims"#));
}
