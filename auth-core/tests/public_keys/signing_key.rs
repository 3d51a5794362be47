//! Tests signing keys.

use auth_core::public_key::{Algorithm, SigningKey};

use crate::fixtures::{ALGORITHMS, private_pem, signing_key};

#[test]
fn generated_keys_are_different_and_survive_a_file() {
    for algorithm in ALGORITHMS {
        let key = SigningKey::generate(algorithm).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let other_key = SigningKey::generate(algorithm).unwrap();
        assert_ne!(key.public_key(), other_key.public_key());
        let read_key = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!(read_key.public_key(), key.public_key());
    }
}

#[test]
fn an_ed25519_key_is_written_as_48_bytes() {
    // Version 2, which OpenSSL, Python and Node refuse, would have 83 bytes: 112 characters.
    let pem = SigningKey::generate(Algorithm::EdDsa)
        .unwrap()
        .to_pem()
        .unwrap();
    assert_eq!(pem.lines().nth(1).unwrap().len(), 64);
    assert_eq!(pem.lines().count(), 3);
}

#[cfg(feature = "rs256")]
#[test]
fn no_rsa_key_is_generated() {
    let error = SigningKey::generate(Algorithm::Rs256).unwrap_err();
    assert!(error.to_string().contains("cannot sign"));
}

#[test]
fn debug_output_shows_the_public_key_only() {
    for algorithm in ALGORITHMS {
        let output = format!("{:?}", signing_key(algorithm));
        let key_id = signing_key(algorithm).public_key().key_id().to_owned();
        assert_eq!(
            output,
            format!(
                "SigningKey {{ public_key: PublicKey {{ algorithm: {algorithm:?}, key_id: {key_id:?}, .. }}, .. }}"
            )
        );
        let secret_line = private_pem(algorithm).lines().nth(1).unwrap().to_owned();
        assert!(!output.contains(&secret_line));
    }
}
