//! Tests which tokens are stale after a change of their user.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use auth_core::{Error, Revocations, TokenVerifier};
use proptest::prelude::*;

use crate::fixtures::{SUBJECT, issuer, keyring, now, verifier};

const LIFETIME: Duration = Duration::from_secs(900);

fn verifier_with(revocations: &Revocations) -> TokenVerifier {
    verifier(keyring()).with_revocations(revocations.clone())
}

/// Issues a token of user 42 with this version at this time.
fn token_at(version: u64, time: SystemTime) -> String {
    let issuer = issuer(keyring());
    let builder = issuer.token_for(&SUBJECT).with_claims_version(version);
    builder.issue(time).unwrap().token
}

fn token(version: u64) -> String {
    token_at(version, now())
}

#[test]
fn exactly_the_tokens_of_lower_versions_are_stale() {
    let revocations = Revocations::default();
    revocations.mark_stale("42", 5, now() + LIFETIME);
    let verifier = verifier_with(&revocations);
    for (version, expected) in [
        (0, Err(Error::Stale)),
        (3, Err(Error::Stale)),
        (4, Err(Error::Stale)),
        (5, Ok(())),
        (6, Ok(())),
    ] {
        let result = verifier.verify(&token(version), now()).map(drop);
        assert_eq!(result, expected, "{version}");
    }
}

/// A time in seconds, in place of the version, could not tell these tokens apart: they are issued up to 5 seconds, the
/// leeway, before or after the change.
#[test]
fn only_the_version_decides_whatever_the_clocks_say() {
    let revocations = Revocations::default();
    revocations.mark_stale("42", 1, now() + LIFETIME);
    let verifier = verifier_with(&revocations);
    for milliseconds in [0, 1, 999, 1000, 4999, 5000] {
        let difference = Duration::from_millis(milliseconds);
        for time in [now() - difference, now() + difference] {
            let before_change = verifier.verify(&token_at(0, time), now());
            assert_eq!(before_change, Err(Error::Stale), "{time:?}");
            let after_change = verifier.verify(&token_at(1, time), now());
            assert!(after_change.is_ok(), "{time:?}");
        }
    }
}

#[test]
fn a_client_that_refreshes_after_each_change_is_never_stale_twice() {
    let revocations = Revocations::default();
    let verifier = verifier_with(&revocations);
    let mut own_token = token(0);
    for version in 1..100 {
        revocations.mark_stale("42", version, now() + LIFETIME);
        assert_eq!(verifier.verify(&own_token, now()), Err(Error::Stale));
        own_token = token(version);
        assert!(verifier.verify(&own_token, now()).is_ok(), "{version}");
    }
}

#[test]
fn a_token_that_is_newer_than_the_known_change_is_accepted() {
    let revocations = Revocations::default();
    revocations.mark_stale("42", 1, now() + LIFETIME);
    let verifier = verifier_with(&revocations);
    assert!(verifier.verify(&token(2), now()).is_ok());
    revocations.mark_stale("42", 2, now() + LIFETIME);
    assert!(verifier.verify(&token(2), now()).is_ok());
}

#[test]
fn changes_that_arrive_in_another_order_have_the_same_result() {
    let revocations = Revocations::default();
    revocations.mark_stale("42", 2, now() + LIFETIME);
    revocations.mark_stale("42", 1, now() + LIFETIME);
    let verifier = verifier_with(&revocations);
    assert_eq!(verifier.verify(&token(1), now()), Err(Error::Stale));
    assert!(verifier.verify(&token(2), now()).is_ok());
    assert_eq!(revocations.len(), 1);
}

#[test]
fn a_change_of_another_user_or_of_no_user_has_no_effect() {
    let revocations = Revocations::default();
    for sub in ["43", "", "4", "421", "7"] {
        revocations.mark_stale(sub, 9, now() + LIFETIME);
    }
    assert!(verifier_with(&revocations).verify(&token(0), now()).is_ok());
}

#[test]
fn a_stale_token_is_a_401_that_tells_the_client_to_refresh() {
    assert_eq!(
        (Error::Stale.status(), Error::Stale.code()),
        (401, "TOKEN_STALE")
    );
    let challenge = Error::Stale.www_authenticate().unwrap();
    assert!(
        challenge.contains(r#"error="invalid_token""#),
        "{challenge}"
    );
}

#[test]
fn a_revoked_or_expired_token_is_not_reported_as_stale() {
    let revocations = Revocations::default();
    let verifier = verifier_with(&revocations);
    revocations.mark_stale("42", 1, now() + LIFETIME);
    let expired = verifier.verify(&token(0), now() + 2 * LIFETIME);
    assert_eq!(expired, Err(Error::Expired));
    revocations.revoke_session("7", now() + LIFETIME);
    assert_eq!(verifier.verify(&token(0), now()), Err(Error::Revoked));
}

#[test]
fn an_entry_is_forgotten_after_its_time() {
    let revocations = Revocations::default();
    let until = now() + LIFETIME;
    revocations.mark_stale("42", 1, until);
    for (second, expected) in [(0, Err(Error::Stale)), (1, Ok(()))] {
        revocations.purge(until + Duration::from_secs(second));
        let result = verifier_with(&revocations).verify(&token(0), now());
        assert_eq!(result.map(drop), expected, "{second}");
    }
}

/// An operation on the set.
#[derive(Debug, Clone)]
enum Operation {
    /// A change of this user to this version, which is kept for this many seconds.
    Mark(u8, u64, u64),
    /// Purges the set after this many seconds.
    Purge(u64),
}

fn any_operation() -> impl Strategy<Value = Operation> {
    let mark = (0..8_u8, 0..6_u64, 0..1000_u64);
    prop_oneof![
        6 => mark.prop_map(|(user, version, until)| Operation::Mark(user, version, until)),
        1 => (0..1000_u64).prop_map(Operation::Purge),
    ]
}

proptest! {
    /// Compares the set with a model: a map from the user to the version and to the time until which a purge keeps it.
    #[test]
    fn no_entry_is_missed_and_none_is_invented(operations in proptest::collection::vec(any_operation(), 0..60)) {
        let revocations = Revocations::default();
        let mut model: HashMap<u8, (u64, u64)> = HashMap::new();
        for operation in operations {
            match operation {
                Operation::Mark(user, version, until) => {
                    revocations.mark_stale(&user.to_string(), version, now() + Duration::from_secs(until));
                    let entry = model.entry(user).or_insert((version, until));
                    *entry = (entry.0.max(version), entry.1.max(until));
                }
                Operation::Purge(second) => {
                    revocations.purge(now() + Duration::from_secs(second));
                    model.retain(|_, (_, until)| *until >= second);
                }
            }
        }
        prop_assert_eq!(revocations.len(), model.len());
        let mut claims = verifier(keyring()).verify(&token(0), now()).unwrap();
        for user in 0..8_u8 {
            for version in 0..6 {
                (claims.sub, claims.claims_version) = (user.to_string(), version);
                let is_stale = model.get(&user).is_some_and(|(least, _)| version < *least);
                let expected = if is_stale { Err(Error::Stale) } else { Ok(()) };
                prop_assert_eq!(revocations.check(&claims), expected);
            }
        }
    }
}
