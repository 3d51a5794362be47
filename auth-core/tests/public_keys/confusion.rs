//! Tests attacks that confuse keys and algorithms. Every such token or key must be rejected.

use auth_core::public_key::{Algorithm, KeySet};
use auth_core::{Error, Keyring, Secret, TokenVerifier, VerificationKeys};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::fixtures::{
    ALGORITHMS, AUDIENCE, ISSUER, base64url, header, key_set, now, payload, pem, public_key, sign,
    sign_hs256, token,
};

/// Returns verifiers that know the key of the algorithm: alone, with the key of the other algorithm, and with both that
/// key and a secret.
fn verifiers(algorithm: Algorithm) -> [TokenVerifier; 3] {
    let keys = || KeySet::new(ALGORITHMS.map(public_key)).unwrap();
    let keyring = Keyring::new(Secret::generate().unwrap());
    [
        VerificationKeys::from(key_set(algorithm)),
        keys().into(),
        VerificationKeys::from(keys()).with_secrets(keyring),
    ]
    .map(|keys| TokenVerifier::new(keys, ISSUER, AUDIENCE).unwrap())
}

/// Asserts that no verifier with the key of the algorithm accepts the token.
fn assert_rejected(algorithm: Algorithm, token: &str, attack: &str) {
    for verifier in verifiers(algorithm) {
        let Err(error) = verifier.verify(token, now()) else {
            panic!("accepted: {attack}");
        };
        assert_eq!(error.status(), 401, "{attack}: {error}");
        assert!(
            verifier.verify_for_logout(token, now()).is_err(),
            "{attack}"
        );
    }
}

/// Returns texts and bytes that an attacker could try as the secret: forms of the public key, and no bytes.
fn forms(algorithm: Algorithm) -> Vec<Vec<u8>> {
    let key = public_key(algorithm);
    let pem = key.to_pem().unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = STANDARD.decode(&base64).unwrap();
    let jwk: serde_json::Value = serde_json::from_str(&key.to_jwk()).unwrap();
    let x = jwk["x"].as_str().unwrap();
    let raw_length = if algorithm == Algorithm::EdDsa {
        32
    } else {
        65
    };
    vec![
        pem.clone().into_bytes(),
        pem.trim_end().as_bytes().to_vec(),
        pem.replace('\n', "\r\n").into_bytes(),
        pem.replace('\n', "").into_bytes(),
        base64.into_bytes(),
        der[der.len() - raw_length..].to_vec(),
        der,
        key.to_jwk().into_bytes(),
        key_set(algorithm).to_jwks().into_bytes(),
        key.thumbprint().as_bytes().to_vec(),
        key.key_id().as_bytes().to_vec(),
        x.as_bytes().to_vec(),
        base64url(key.thumbprint()).into_bytes(),
        Vec::new(),
    ]
}

#[test]
fn a_token_of_hs256_with_the_public_key_as_secret_is_rejected() {
    for algorithm in ALGORITHMS {
        let key_id = public_key(algorithm).key_id().to_owned();
        for secret in forms(algorithm) {
            for name in ["HS256", algorithm.name(), "HS384", "HS512"] {
                for key_member in ["", &format!(r#","kid":"{key_id}""#)] {
                    let header = format!(r#"{{"alg":"{name}","typ":"at+jwt"{key_member}}}"#);
                    let token = sign_hs256(&header, &payload(), &secret);
                    assert_rejected(algorithm, &token, &header);
                }
            }
        }
    }
}

#[test]
fn an_algorithm_that_is_not_that_of_the_key_is_rejected() {
    for algorithm in ALGORITHMS {
        for name in [
            "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
            "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "Ed448", "none", "dir",
            "A256GCM",
        ] {
            let is_own =
                name == algorithm.name() || (algorithm, name) == (Algorithm::EdDsa, "Ed25519");
            if is_own {
                continue;
            }
            let header = header(algorithm).replace(algorithm.name(), name);
            assert_rejected(algorithm, &sign(algorithm, &header, &payload()), &header);
        }
    }
}

#[test]
fn a_token_without_signature_is_rejected_in_every_spelling() {
    for algorithm in ALGORITHMS {
        let parts = token(algorithm);
        let payload_part = parts.split('.').nth(1).unwrap();
        for name in [
            r#""none""#,
            r#""None""#,
            r#""NONE""#,
            r#""nOnE""#,
            r#""""#,
            "null",
            "false",
            r#"["none"]"#,
            r#"" none""#,
            r#""\u006eone""#,
        ] {
            let header = header(algorithm).replace(&format!("{:?}", algorithm.name()), name);
            let header_part = base64url(&header);
            for signature in ["", "AA", ".", &base64url([0; 64])] {
                let token = format!("{header_part}.{payload_part}.{signature}");
                assert_rejected(algorithm, &token, &header);
            }
            assert_rejected(algorithm, &format!("{header_part}.{payload_part}"), &header);
            assert_rejected(algorithm, &sign(algorithm, &header, &payload()), &header);
        }
    }
}

#[test]
fn a_key_that_the_token_brings_along_is_never_used() {
    let attacker_key = auth_core::public_key::SigningKey::from_pem(&pem("ed25519")).unwrap();
    let own_key = auth_core::public_key::SigningKey::generate(Algorithm::EdDsa).unwrap();
    let keys = KeySet::new([own_key.public_key().clone()]).unwrap();
    let verifier = TokenVerifier::new(keys, ISSUER, AUDIENCE).unwrap();
    let (jwk, own_id) = (
        attacker_key.public_key().to_jwk(),
        own_key.public_key().key_id(),
    );
    for member in [
        format!(r#""jwk":{jwk}"#),
        r#""jku":"http://127.0.0.1:9/jwks.json""#.to_owned(),
        r#""x5u":"http://127.0.0.1:9/certificate.pem""#.to_owned(),
        format!(r#""x5c":["{}"]"#, STANDARD.encode(pem("certificate"))),
        r#""x5t":"AAAA","x5t#S256":"AAAA""#.to_owned(),
    ] {
        for (key_id, expected) in [
            (own_id, Error::SignatureMismatch),
            (attacker_key.public_key().key_id(), Error::UnknownKey),
        ] {
            let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{key_id}",{member}}}"#);
            let token = sign(Algorithm::EdDsa, &header, &payload());
            assert_eq!(verifier.verify(&token, now()), Err(expected), "{header}");
        }
    }
}

#[test]
fn a_key_id_is_data_and_not_an_address() {
    for key_id in [
        "../../../../etc/passwd",
        "/dev/null",
        "http://127.0.0.1:9/",
        "' OR 1=1 --",
        "\\u0000",
        "*",
    ] {
        let header = format!(r#"{{"alg":"EdDSA","typ":"at+jwt","kid":"{key_id}"}}"#);
        let token = sign(Algorithm::EdDsa, &header, &payload());
        assert_rejected(Algorithm::EdDsa, &token, key_id);
    }
}

#[test]
fn a_key_of_one_type_is_never_used_as_another() {
    // The 32 bytes of an Ed25519 key as x of an EC key, and the x of an EC key as an Ed25519 key.
    let read = |jwk: &str| auth_core::public_key::PublicKey::from_jwk(jwk);
    let ed25519 = public_key(Algorithm::EdDsa).to_jwk();
    let p256 = public_key(Algorithm::Es256).to_jwk();
    for (jwk, old, new) in [
        (&ed25519, r#""kty":"OKP""#, r#""kty":"EC""#),
        (&ed25519, r#""crv":"Ed25519""#, r#""crv":"P-256""#),
        (&p256, r#""kty":"EC""#, r#""kty":"OKP""#),
        (&p256, r#""crv":"P-256""#, r#""crv":"Ed25519""#),
        (&ed25519, r#""alg":"EdDSA""#, r#""alg":"HS256""#),
        (&p256, r#""alg":"ES256""#, r#""alg":"EdDSA""#),
    ] {
        let changed = jwk.replace(old, new);
        assert_ne!(&changed, jwk);
        assert!(read(&changed).is_err(), "{changed}");
    }
    let both = p256
        .replace(r#""kty":"EC""#, r#""kty":"OKP""#)
        .replace(r#""crv":"P-256""#, r#""crv":"Ed25519""#);
    let both = both.replace(r#""alg":"ES256","#, "");
    // If the bytes happen to be a point of Ed25519, the key verifies no token of the EC key.
    if let Ok(key) = read(&both) {
        let token = token(Algorithm::Es256);
        let verifier = TokenVerifier::new(KeySet::new([key]).unwrap(), ISSUER, AUDIENCE).unwrap();
        assert!(verifier.verify(&token, now()).is_err());
    }
}

#[test]
fn a_verifier_with_a_secret_alone_accepts_no_public_key_algorithm() {
    let verifier =
        TokenVerifier::new(Keyring::new(Secret::generate().unwrap()), ISSUER, AUDIENCE).unwrap();
    for algorithm in ALGORITHMS {
        let expected = Error::UnacceptableHeader("The token algorithm must be HS256");
        assert_eq!(verifier.verify(&token(algorithm), now()), Err(expected));
    }
}
