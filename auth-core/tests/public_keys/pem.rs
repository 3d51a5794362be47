//! Tests the reading of keys from PEM files, as OpenSSL and other programs write them.

use auth_core::public_key::{Algorithm, PublicKey, SigningKey};

use crate::fixtures::{ALGORITHMS, invalid_key, pem, private_pem};

#[test]
fn keys_of_openssl_are_read_and_the_public_key_belongs_to_the_private_key() {
    for (name, algorithm) in [("ed25519", Algorithm::EdDsa), ("p256", Algorithm::Es256)] {
        let public_key = PublicKey::from_pem(&pem(&format!("{name}.pub"))).unwrap();
        let signing_key = SigningKey::from_pem(&pem(name)).unwrap();
        assert_eq!(public_key.algorithm(), algorithm);
        assert_eq!(signing_key.algorithm(), algorithm);
        assert_eq!(*signing_key.public_key(), public_key);
    }
}

#[test]
fn keys_are_written_as_openssl_writes_them() {
    for name in ["ed25519", "p256"] {
        let signing_key = SigningKey::from_pem(&pem(name)).unwrap();
        assert_eq!(*signing_key.to_pem().unwrap(), pem(name), "{name}");
        let public_pem = signing_key.public_key().to_pem().unwrap();
        assert_eq!(public_pem, pem(&format!("{name}.pub")), "{name}");
    }
}

#[test]
fn an_ed25519_key_of_version_2_is_read_and_written_as_version_1() {
    let key = SigningKey::from_pem(&pem("ed25519.v2")).unwrap();
    assert_eq!(*key.to_pem().unwrap(), pem("ed25519"));
}

#[test]
fn a_key_of_version_2_with_another_public_key_is_rejected() {
    let valid_pem = pem("ed25519.v2");
    let (before, last_line) = valid_pem.split_once("\n-----END").unwrap();
    let changed_pem = format!("{}AAAA\n-----END{last_line}", &before[..before.len() - 4]);
    assert_ne!(changed_pem, valid_pem);
    assert!(invalid_key(SigningKey::from_pem(&changed_pem)).contains("malformed"));
}

#[test]
fn a_compressed_point_is_the_same_key() {
    let compressed_key = PublicKey::from_pem(&pem("p256.compressed.pub")).unwrap();
    assert_eq!(
        compressed_key,
        PublicKey::from_pem(&pem("p256.pub")).unwrap()
    );
}

#[test]
fn white_space_around_the_block_and_line_ends_of_windows_are_accepted() {
    for algorithm in ALGORITHMS {
        let pem = private_pem(algorithm);
        for text in [
            pem.replace('\n', "\r\n"),
            format!("\n \t{pem}\n\n"),
            pem.trim_end().to_owned(),
        ] {
            assert!(SigningKey::from_pem(&text).is_ok(), "{text:?}");
        }
    }
}

#[test]
fn a_file_that_is_no_signing_key_is_rejected_with_the_remedy() {
    for (name, expected) in [
        (
            "ed25519.encrypted",
            "encrypted; decrypt it with: openssl pkcs8",
        ),
        ("ed25519.pub", "only a public key"),
        ("p256.pub", "only a public key"),
        ("certificate", "only a public key"),
        (
            "p256.sec1",
            "not PKCS#8; convert it with: openssl pkcs8 -topk8",
        ),
        (
            "rsa2048.pkcs1",
            "not PKCS#8; convert it with: openssl pkcs8 -topk8",
        ),
        ("rsa2048", "is RSA"),
        ("p384", "another curve than P-256"),
        ("secp256k1", "another curve than P-256"),
        ("x25519", "generate an Ed25519 or P-256 key"),
        ("ed448", "generate an Ed25519 or P-256 key"),
    ] {
        let text = invalid_key(SigningKey::from_pem(&pem(name)));
        assert!(text.contains(expected), "{name}: {text}");
    }
}

#[test]
fn a_file_that_is_no_public_key_is_rejected_with_the_remedy() {
    for (name, expected) in [
        (
            "ed25519",
            "extract the public key with: openssl pkey -pubout",
        ),
        ("p256", "extract the public key with: openssl pkey -pubout"),
        (
            "p256.sec1",
            "extract the public key with: openssl pkey -pubout",
        ),
        (
            "ed25519.encrypted",
            "extract the public key with: openssl pkey -pubout",
        ),
        (
            "certificate",
            "extract the public key with: openssl x509 -pubkey",
        ),
        (
            "rsa2048.pkcs1.pub",
            "convert it with: openssl rsa -RSAPublicKey_in",
        ),
        ("p384.pub", "not a public key on the curve P-256"),
        ("x25519.pub", "not supported"),
    ] {
        let text = invalid_key(PublicKey::from_pem(&pem(name)));
        assert!(text.contains(expected), "{name}: {text}");
    }
}

#[test]
fn a_text_that_is_not_exactly_one_block_is_rejected() {
    let valid_pem = pem("ed25519");
    let (begin, rest) = valid_pem.split_once('\n').unwrap();
    let (base64, end) = rest.split_once('\n').unwrap();
    for (text, expected) in [
        (String::new(), "not PEM"),
        ("-----BEGIN".to_owned(), "not PEM"),
        ("-----BEGIN PRIVATE KEY".to_owned(), "not PEM"),
        (base64.to_owned(), "not PEM"),
        (format!("# a comment\n{valid_pem}"), "not PEM"),
        (format!("\u{feff}{valid_pem}"), "not PEM"),
        (format!("{valid_pem}{valid_pem}"), "more than one block"),
        (format!("{valid_pem}{}", pem("p256")), "more than one block"),
        (format!("{valid_pem}garbage"), "malformed"),
        (format!("{valid_pem}# a comment"), "malformed"),
        (format!("{begin}\n{base64}\n"), "malformed"),
        (format!("{begin}\n{end}"), "malformed"),
        (
            format!("{begin}\n{base64}\n-----END PUBLIC KEY-----\n"),
            "malformed",
        ),
        (format!("{begin}\n{base64}=\n{end}"), "malformed"),
        (format!("{begin}\n{base64}AAAA\n{end}"), "malformed"),
        (format!("{begin}\n{}\n{end}", &base64[4..]), "malformed"),
        (
            format!("{begin}\n{}\n{end}", base64.replace('/', "_")),
            "malformed",
        ),
        (
            format!("{begin}\nProc-Type: 4,ENCRYPTED\n\n{base64}\n{end}"),
            "malformed",
        ),
        (
            valid_pem.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY"),
            "another label",
        ),
        (
            valid_pem.replace("PRIVATE KEY", "private key"),
            "another label",
        ),
    ] {
        let found = invalid_key(SigningKey::from_pem(&text));
        assert!(found.contains(expected), "{text:?}: {found}");
    }
}

#[test]
fn an_error_repeats_nothing_of_the_key() {
    let valid_pem = pem("ed25519");
    let text = invalid_key(SigningKey::from_pem(&format!("{valid_pem}garbage")));
    assert!(!text.contains("garbage") && !text.contains("MC4CAQ"));
}
