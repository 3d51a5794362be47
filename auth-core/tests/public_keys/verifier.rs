//! Tests the rules of a verifier with public keys: key id, algorithm, type and signature of a token.

use auth_core::public_key::{Algorithm, KeySet};
use auth_core::{Error, Keyring, Secret, TokenIssuer, TokenType, TokenVerifier, VerificationKeys};

use crate::fixtures::{
    ALGORITHMS, AUDIENCE, ISSUER, SUBJECT, base64url, header, key_set, now, payload, public_key,
    sign, token, verifier, verify,
};

fn both_keys() -> KeySet {
    KeySet::new(ALGORITHMS.map(public_key)).unwrap()
}

/// Verifies an otherwise valid token with this header, which the key of the algorithm signed.
fn verify_header(algorithm: Algorithm, header: &str) -> Result<(), Error> {
    let token = sign(algorithm, header, &payload());
    verifier(both_keys())
        .verify(&token, now())
        .map(|_claims| ())
}

fn unacceptable_header(algorithm: Algorithm, header: &str) -> &'static str {
    match verify_header(algorithm, header) {
        Err(Error::UnacceptableHeader(text)) => text,
        result => panic!("{header}: {result:?}"),
    }
}

#[test]
fn tokens_of_every_key_of_the_set_are_accepted() {
    for algorithm in ALGORITHMS {
        assert_eq!(
            verifier(both_keys())
                .verify(&token(algorithm), now())
                .unwrap()
                .sub,
            "42"
        );
        assert_eq!(verify_header(algorithm, &header(algorithm)), Ok(()));
    }
}

#[test]
fn a_token_must_name_its_key() {
    for algorithm in ALGORITHMS {
        let without_id = format!(r#"{{"alg":"{algorithm}","typ":"at+jwt"}}"#);
        assert!(unacceptable_header(algorithm, &without_id).contains("(kid)"));
        let key_id = public_key(algorithm).key_id().to_owned();
        for other_id in [
            "",
            "a",
            &key_id[..42],
            &format!("{key_id} "),
            &key_id.to_uppercase(),
        ] {
            let header = header(algorithm).replace(&key_id, other_id);
            assert_eq!(
                verify_header(algorithm, &header),
                Err(Error::UnknownKey),
                "{other_id}"
            );
        }
        let number = header(algorithm).replace(&format!("{key_id:?}"), "7");
        assert!(unacceptable_header(algorithm, &number).contains("key id must be a string"));
    }
}

#[test]
fn a_token_of_another_key_of_the_set_is_rejected_without_trying_it() {
    for (algorithm, other) in [
        (Algorithm::EdDsa, Algorithm::Es256),
        (Algorithm::Es256, Algorithm::EdDsa),
    ] {
        // The header names the other key, with its algorithm.
        let result = verify_header(algorithm, &header(other));
        assert_eq!(result, Err(Error::SignatureMismatch));
    }
}

#[test]
fn the_algorithm_must_be_that_of_the_key() {
    for (algorithm, other) in [
        ("EdDSA", Algorithm::Es256),
        ("ES256", Algorithm::EdDsa),
        ("Ed25519", Algorithm::Es256),
    ] {
        let header = header(other).replace(other.name(), algorithm);
        assert!(unacceptable_header(other, &header).contains("not the algorithm of its key"));
    }
    let newer_name = header(Algorithm::EdDsa).replace("EdDSA", "Ed25519");
    assert_eq!(verify_header(Algorithm::EdDsa, &newer_name), Ok(()));
}

#[test]
fn only_the_chosen_algorithms_are_accepted() {
    let verifier = verifier(both_keys()).with_algorithms([Algorithm::Es256]);
    assert!(verifier.verify(&token(Algorithm::Es256), now()).is_ok());
    let expected = Error::UnacceptableHeader("The token algorithm is not accepted");
    assert_eq!(
        verifier.verify(&token(Algorithm::EdDsa), now()),
        Err(expected)
    );
    let verifier = verifier.with_algorithms([]);
    assert!(verifier.verify(&token(Algorithm::Es256), now()).is_err());
}

#[test]
fn the_rules_for_headers_are_those_of_tokens_with_a_secret() {
    for algorithm in ALGORITHMS {
        for (member, expected) in [
            (r#""crit":["exp"],"#, "crit, b64 or zip"),
            (r#""b64":false,"#, "crit, b64 or zip"),
            (r#""zip":"DEF","#, "crit, b64 or zip"),
            (r#""alg":"EdDSA","#, "twice"),
            (r#""kid":"a","#, "twice"),
        ] {
            let header = header(algorithm).replacen('{', &format!("{{{member}"), 1);
            assert!(
                unacceptable_header(algorithm, &header).contains(expected),
                "{member}"
            );
        }
    }
}

#[test]
fn only_access_tokens_are_accepted_unless_other_types_are_chosen() {
    let typed = |typ: &str| header(Algorithm::EdDsa).replace(r#""typ":"at+jwt","#, typ);
    let headers = [
        (typed(r#""typ":"at+jwt","#), TokenType::AccessToken),
        (typed(r#""typ":"AT+JWT","#), TokenType::AccessToken),
        (typed(r#""typ":"JWT","#), TokenType::Jwt),
        (typed(r#""typ":"jwt","#), TokenType::Jwt),
        (typed(""), TokenType::Absent),
    ];
    let all_types = [TokenType::AccessToken, TokenType::Jwt, TokenType::Absent];
    let verify = |verifier: &TokenVerifier, header: &str| {
        verifier
            .verify(&sign(Algorithm::EdDsa, header, &payload()), now())
            .is_ok()
    };
    for (header, own_type) in &headers {
        let is_default = *own_type == TokenType::AccessToken;
        assert_eq!(
            verify(&verifier(both_keys()), header),
            is_default,
            "{header}"
        );
        for accepted in all_types {
            let verifier = verifier(both_keys()).with_types([accepted]).unwrap();
            assert_eq!(verify(&verifier, header), accepted == *own_type, "{header}");
        }
        let verifier = verifier(both_keys()).with_types(all_types).unwrap();
        assert!(verify(&verifier, header), "{header}");
    }
    let verifier = verifier(both_keys()).with_types(all_types).unwrap();
    for typ in [
        r#""typ":"","#,
        r#""typ":"ID","#,
        r#""typ":"logout+jwt","#,
        r#""typ":"application/at+jwt","#,
    ] {
        assert!(!verify(&verifier, &typed(typ)), "{typ}");
    }
    assert!(verifier.with_types([]).is_err());
}

#[test]
fn a_changed_token_is_rejected() {
    for algorithm in ALGORITHMS {
        let token = token(algorithm);
        for (position, character) in token.char_indices() {
            let replacement = if character == 'A' { "B" } else { "A" };
            let mut changed = token.clone();
            changed.replace_range(position..=position, replacement);
            assert!(verify(algorithm, &changed).is_err(), "{position}");
        }
    }
}

#[test]
fn a_signature_of_another_length_or_encoding_is_rejected() {
    for algorithm in ALGORITHMS {
        let token = token(algorithm);
        let (message, signature) = token.rsplit_once('.').unwrap();
        for other in [
            signature[..84].to_owned(),
            signature[..85].to_owned(),
            format!("{signature}AA"),
            format!("{signature}=="),
            signature.repeat(2),
            base64url([0; 64]),
            base64url([0xff; 64]),
            base64url([0; 63]),
            base64url([0; 65]),
            base64url([0; 72]),
            "A".repeat(6000),
            "A".to_owned(),
            "!".to_owned(),
        ] {
            let result = verify(algorithm, &format!("{message}.{other}"));
            let error = result.unwrap_err();
            assert!(
                matches!(error, Error::SignatureMismatch | Error::MalformedToken(_)),
                "{other}: {error}"
            );
        }
    }
}

#[test]
fn a_high_s_of_es256_is_accepted_because_half_of_all_signers_write_it() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let token = token(Algorithm::Es256);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let mut other_s = [0; 32];
    let mut borrow = 0;
    for position in (0..32).rev() {
        let digits = &order[2 * position..2 * position + 2];
        let minuend = i32::from(u8::from_str_radix(digits, 16).unwrap());
        let difference = minuend - i32::from(bytes[32 + position]) - borrow;
        borrow = i32::from(difference < 0);
        other_s[position] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    let other_signature = base64url([&bytes[..32], &other_s].concat());
    assert_ne!(other_signature, signature);
    let other_token = format!("{message}.{other_signature}");
    assert!(verify(Algorithm::Es256, &other_token).is_ok());
}

#[test]
fn claims_are_checked_after_the_signature() {
    for algorithm in ALGORITHMS {
        let expired = payload()
            .replace("1800000900", "1799999990")
            .replace("1800000000", "1799999900");
        let result = verify(algorithm, &sign(algorithm, &header(algorithm), &expired));
        assert_eq!(result, Err(Error::Expired));
        let logout = verifier(key_set(algorithm));
        let token = sign(algorithm, &header(algorithm), &expired);
        assert!(logout.verify_for_logout(&token, now()).is_ok());
        let other_issuer = payload().replace(ISSUER, "https://other.example");
        let result = verify(
            algorithm,
            &sign(algorithm, &header(algorithm), &other_issuer),
        );
        assert_eq!(result, Err(Error::InvalidClaim("iss")));
    }
}

#[test]
fn during_a_change_from_a_secret_tokens_of_both_are_accepted() {
    let keyring = Keyring::new(Secret::generate().unwrap());
    let lifetime = std::time::Duration::from_secs(900);
    let old_issuer = TokenIssuer::new(keyring.clone(), ISSUER, AUDIENCE, lifetime).unwrap();
    let old_token = old_issuer.issue(&SUBJECT, now()).unwrap().token;
    let keys = VerificationKeys::from(both_keys()).with_secrets(keyring);
    let verifier = TokenVerifier::new(keys, ISSUER, AUDIENCE).unwrap();
    assert!(verifier.verify(&old_token, now()).is_ok());
    for algorithm in ALGORITHMS {
        assert!(verifier.verify(&token(algorithm), now()).is_ok());
    }
    let expected = Error::UnacceptableHeader("The token algorithm is not accepted");
    let result = crate::fixtures::verifier(both_keys()).verify(&old_token, now());
    assert_eq!(result, Err(expected));
}

#[cfg(feature = "rs256")]
#[test]
fn a_token_of_rs256_is_accepted_with_its_key_only() {
    let public_key =
        auth_core::public_key::PublicKey::from_pem(&crate::fixtures::pem("rsa2048.pub")).unwrap();
    let key_id = public_key.key_id().to_owned();
    let header = format!(r#"{{"alg":"RS256","typ":"at+jwt","kid":"{key_id}"}}"#);
    let token = sign(Algorithm::Rs256, &header, &payload());
    let keys = KeySet::new([public_key, self::public_key(Algorithm::EdDsa)]).unwrap();
    let verifier = verifier(keys);
    assert_eq!(verifier.verify(&token, now()).unwrap().sub, "42");
    let (message, _) = token.rsplit_once('.').unwrap();
    for length in [0, 64, 255, 256, 257, 1024, 1025, 3000] {
        let forged = format!("{message}.{}", base64url(vec![1; length]));
        assert!(verifier.verify(&forged, now()).is_err());
    }
    for other_algorithm in ["RS384", "RS512", "PS256", "HS256", "EdDSA"] {
        let other_header = header.replace("RS256", other_algorithm);
        let token = sign(Algorithm::Rs256, &other_header, &payload());
        assert!(verifier.verify(&token, now()).is_err(), "{other_algorithm}");
    }
}
