//! Tests which verifiers accept tokens without `email` and `sid`, such as those of machines.

use auth_core::{Caller, Claims, Error, TokenVerifier};

use crate::fixtures::{Payload, keyring, now, verifier, verify_payload};

fn verifiers() -> [(TokenVerifier, bool, bool); 4] {
    let default = || verifier(keyring());
    [
        (default(), true, true),
        (default().with_optional_email(), false, true),
        (default().with_optional_sid(), true, false),
        (
            default().with_optional_email().with_optional_sid(),
            false,
            false,
        ),
    ]
}

fn verify(verifier: &TokenVerifier, payload: &Payload) -> Result<Claims, Error> {
    verify_payload(verifier, payload.json(), now())
}

#[test]
fn email_and_sid_are_required_unless_the_verifier_makes_them_optional() {
    for (verifier, needs_email, needs_sid) in verifiers() {
        let full_claims = verify(&verifier, &Payload::valid()).unwrap();
        assert_eq!(full_claims.email.as_deref(), Some("ada@example.com"));
        assert_eq!(full_claims.sid.as_deref(), Some("7"));

        let without_email = verify(&verifier, &Payload::valid().without("email"));
        let without_sid = verify(&verifier, &Payload::valid().without("sid"));
        let machine_payload = Payload::valid().without("email").without("sid");
        let machine = verify(&verifier, &machine_payload);
        if needs_email {
            assert_eq!(without_email, Err(Error::MissingClaim("email")));
            assert_eq!(machine, Err(Error::MissingClaim("email")));
        } else {
            assert_eq!(without_email.unwrap().email, None);
        }
        if needs_sid {
            assert_eq!(without_sid, Err(Error::MissingClaim("sid")));
            assert!(machine.is_err());
        } else {
            assert_eq!(without_sid.unwrap().sid, None);
        }
    }
}

#[test]
fn the_caller_of_a_machine_token_has_neither_email_nor_session() {
    let [.., (verifier, _, _)] = verifiers();
    let payload = Payload::valid().without("email").without("sid");
    let caller = Caller::from(verify(&verifier, &payload).unwrap());
    assert_eq!((&*caller.sub, caller.email, caller.sid), ("42", None, None));
}

#[test]
fn an_optional_claim_must_still_be_a_string() {
    for (verifier, _, _) in verifiers() {
        for claim in ["email", "sid"] {
            for value in ["null", "1", "[]", "false"] {
                let result = verify(&verifier, &Payload::valid().with(claim, value));
                assert_eq!(result, Err(Error::InvalidClaim(claim)), "{value}");
            }
        }
    }
}

#[test]
fn every_other_claim_stays_required() {
    for (verifier, _, _) in verifiers() {
        for claim in ["iss", "aud", "sub", "iat", "exp", "jti"] {
            let result = verify(&verifier, &Payload::valid().without(claim));
            assert_eq!(result, Err(Error::MissingClaim(claim)));
        }
    }
}
