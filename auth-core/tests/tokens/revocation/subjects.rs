//! Tests the revocation of single tokens and of all tokens of a subject.

use std::time::Duration;

use auth_core::{Error, Revocations, TokenVerifier};

use crate::fixtures::{SUBJECT, issuer, keyring, now, verifier};

fn verifier_with(revocations: &Revocations) -> TokenVerifier {
    let verifier = verifier(keyring()).with_revocations(revocations.clone());
    verifier.with_optional_email().with_optional_sid()
}

fn user_token(jti: &str) -> String {
    let token_issuer = issuer(keyring());
    let builder = token_issuer.token_for(&SUBJECT).with_jti(jti);
    builder.issue(now()).unwrap().token
}

fn machine_token(id: &str, jti: &str) -> String {
    let token_issuer = issuer(keyring());
    let builder = token_issuer.token_for_machine(id).with_jti(jti);
    builder.issue(now()).unwrap().token
}

#[test]
fn a_revoked_token_is_rejected_and_other_tokens_of_its_subject_are_not() {
    let revocations = Revocations::default();
    let verifier = verifier_with(&revocations);
    revocations.revoke_token("t1", now() + Duration::from_secs(900));
    for (token, expected) in [
        (user_token("t1"), Err(Error::Revoked)),
        (user_token("t2"), Ok(())),
        (machine_token("m", "t1"), Err(Error::Revoked)),
        (machine_token("m", "t2"), Ok(())),
        // A revoked token id does not revoke the subject with the same id.
        (machine_token("t1", "t2"), Ok(())),
    ] {
        assert_eq!(verifier.verify(&token, now()).map(drop), expected);
    }
}

#[test]
fn every_token_of_a_revoked_subject_is_rejected() {
    let revocations = Revocations::default();
    let verifier = verifier_with(&revocations);
    revocations.revoke_subject("m", now() + Duration::from_secs(900));
    for (token, expected) in [
        (machine_token("m", "t1"), Err(Error::Revoked)),
        (machine_token("m", "t2"), Err(Error::Revoked)),
        (machine_token("n", "m"), Ok(())),
        (user_token("t1"), Ok(())),
    ] {
        assert_eq!(verifier.verify(&token, now()).map(drop), expected);
    }
}

#[test]
fn a_session_with_the_id_of_a_revoked_subject_or_token_is_not_revoked() {
    let revocations = Revocations::default();
    let until = now() + Duration::from_secs(900);
    revocations.revoke_subject("7", until);
    revocations.revoke_token("7", until);
    assert!(!revocations.has_session("7"));
    assert!(
        verifier_with(&revocations)
            .verify(&user_token("t1"), now())
            .is_ok()
    );
    revocations.revoke_session("7", until);
    let result = verifier_with(&revocations).verify(&user_token("t1"), now());
    assert_eq!(result, Err(Error::Revoked));
}

#[test]
fn entries_of_every_kind_are_counted_and_purged() {
    let revocations = Revocations::default();
    let until = now() + Duration::from_secs(900);
    revocations.revoke_session("a", until);
    revocations.revoke_token("a", until);
    revocations.revoke_subject("a", until);
    revocations.mark_stale("a", 1, until);
    assert_eq!(revocations.len(), 4);
    revocations.purge(until);
    assert_eq!(revocations.len(), 4);
    revocations.purge(until + Duration::from_secs(1));
    assert!(revocations.is_empty());
}

#[test]
fn a_token_for_logout_may_be_revoked_or_stale() {
    let revocations = Revocations::default();
    let until = now() + Duration::from_secs(900);
    revocations.revoke_token("t1", until);
    revocations.revoke_subject("42", until);
    revocations.mark_stale("42", 1, until);
    let result = verifier_with(&revocations).verify_for_logout(&user_token("t1"), now());
    assert!(result.is_ok());
}
