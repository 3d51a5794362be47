//! Secrets, key ids and rotation (RFC 7515 § 4.1.4, RFC 7518 § 3.2).

use auth_core::{Error, Keyring, Secret};

use crate::world::{
    HEADER, OTHER_SECRET, Payload, SECRET, SUBJECT, issued, issuer, keyring, now, secret, verifier,
    verify,
};
use crate::{foreign, world};

const THIRD_SECRET: &str = "Zq7uW4nXc9vB2mK8sD5fG1hJ6kL0pO3i";

#[test]
fn a_secret_has_at_least_32_bytes() {
    for (bytes, accepted) in [(0, false), (1, false), (31, false), (32, true), (33, true)] {
        let text = format!("{SECRET}{OTHER_SECRET}");
        let answer = Secret::new(&text[..bytes]).map(|_secret| ());
        if accepted {
            assert_eq!(answer, Ok(()), "{bytes}");
        } else {
            let why = answer.unwrap_err().to_string();
            assert!(
                why.contains("32 bytes") && why.contains("openssl rand"),
                "{why}"
            );
        }
    }
}

#[test]
fn well_known_secrets_are_refused_at_any_length() {
    for sample in ["secret", "changeme", "password", "your-256-bit-secret"] {
        for length in [32, 33, 64, 1000] {
            for padding in [sample, "0", "x", "!", "1234567890", " "] {
                let text = format!("{sample}{}", padding.repeat(length));
                let answer = Secret::new(&text[..length]);
                assert!(matches!(answer, Err(Error::WeakSecret(_))), "{text}");
            }
        }
    }
}

#[test]
fn a_secret_has_at_least_6_different_bytes() {
    let few = Secret::new("qjzwv".repeat(8));
    assert!(matches!(few, Err(Error::WeakSecret(_))));
    assert!(Secret::new("qjzwvk".repeat(8)).is_ok());
}

#[test]
fn rotation_logs_nobody_out() {
    let old_token = issued();
    let rotated = Keyring::new(secret(OTHER_SECRET)).with_previous([secret(SECRET)]);
    let verifier_after = verifier(rotated.clone());
    assert_eq!(verifier_after.verify(&old_token, now()).unwrap().sub, "42");

    let new_token = issuer(rotated).issue(&SUBJECT, now()).unwrap().token;
    assert!(verifier_after.verify(&new_token, now()).is_ok());
    assert_eq!(
        verify(&new_token),
        Err(Error::SignatureMismatch),
        "an old verifier"
    );

    let retired = verifier(Keyring::new(secret(OTHER_SECRET)));
    assert_eq!(
        retired.verify(&old_token, now()),
        Err(Error::SignatureMismatch)
    );
}

#[test]
fn any_number_of_previous_secrets_verify_and_none_of_them_signs() {
    let all = Keyring::new(secret(THIRD_SECRET))
        .with_previous([secret(OTHER_SECRET)])
        .with_previous([secret(SECRET)]);
    for text in [SECRET, OTHER_SECRET, THIRD_SECRET] {
        let token = foreign::sign(HEADER, Payload::good().json(), text);
        assert!(
            verifier(all.clone()).verify(&token, now()).is_ok(),
            "{text}"
        );
    }
    let token = issuer(all).issue(&SUBJECT, now()).unwrap().token;
    let (message, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(signature, foreign::mac(message, THIRD_SECRET));
}

#[test]
fn a_secret_that_is_on_no_keyring_signs_nothing_we_accept() {
    let token = foreign::sign(HEADER, Payload::good().json(), OTHER_SECRET);
    assert_eq!(verify(&token), Err(Error::SignatureMismatch));
    let many = keyring().with_previous([secret(THIRD_SECRET)]);
    assert_eq!(
        verifier(many).verify(&token, now()),
        Err(Error::SignatureMismatch)
    );
}

/// Our own header, with its key id, over a MAC of another secret.
#[test]
fn a_header_that_is_recognised_does_not_replace_the_mac() {
    let own = issued();
    let parts: Vec<&str> = own.split('.').collect();
    let forged = foreign::sign_parts(parts[0], parts[1], OTHER_SECRET);
    assert_eq!(verify(&forged), Err(Error::SignatureMismatch));
    let rotated = keyring().with_previous([secret(THIRD_SECRET)]);
    let answer = verifier(rotated).verify(&forged, now());
    assert_eq!(answer, Err(Error::SignatureMismatch));
}

#[test]
fn the_key_id_is_the_same_for_the_same_secret_everywhere() {
    let id = keyring().key_id().to_owned();
    assert_eq!(id, keyring().with_previous([secret(OTHER_SECRET)]).key_id());
    assert_ne!(id, Keyring::new(secret(OTHER_SECRET)).key_id());
}

/// HMAC-SHA-256 of a fixed label, first 9 bytes: documented, so that another program can name a secret too.
#[test]
fn the_key_id_is_what_the_documentation_says() {
    let mac = foreign::mac("auth-core key id v1", SECRET);
    assert_eq!(keyring().key_id(), &mac[..12]);
}

#[test]
fn nothing_prints_a_secret() {
    let keyring = keyring().with_previous([secret(OTHER_SECRET)]);
    let printed = format!(
        "{:?} {keyring:?} {:?} {:?} {:?}",
        secret(SECRET),
        issuer(keyring.clone()),
        verifier(keyring.clone()),
        issuer(keyring.clone())
            .issue(&world::SUBJECT, now())
            .unwrap(),
    );
    for text in [SECRET, OTHER_SECRET] {
        assert!(!printed.contains(&text[..8]), "{printed}");
        assert!(!printed.contains(&foreign::base64url(text.as_bytes())[..8]));
    }
    assert!(printed.contains(r#"AccessToken { token: "[redacted]", claims"#));
}
