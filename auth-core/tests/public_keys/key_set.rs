//! Tests key sets.

use auth_core::public_key::{Algorithm, KeySet, PublicKey, SigningKey};

use crate::fixtures::{ALGORITHMS, invalid_key, public_key};

fn generate(count: usize) -> Vec<PublicKey> {
    let generate = |_| {
        SigningKey::generate(Algorithm::EdDsa)
            .unwrap()
            .public_key()
            .clone()
    };
    (0..count).map(generate).collect()
}

#[test]
fn a_set_has_1_to_64_keys() {
    assert!(invalid_key(KeySet::new([])).contains("at least one"));
    assert_eq!(KeySet::new(generate(64)).unwrap().keys().len(), 64);
    assert!(invalid_key(KeySet::new(generate(65))).contains("at most 64"));
    assert!(KeySet::new(std::iter::repeat(generate(1)).flatten()).is_err());
}

#[test]
fn no_two_keys_of_a_set_have_the_same_id() {
    let key = public_key(Algorithm::EdDsa);
    let result = KeySet::new([key.clone(), public_key(Algorithm::Es256), key.clone()]);
    assert!(invalid_key(result).contains("same id"));
    let jwk = public_key(Algorithm::Es256).to_jwk();
    let other_id = public_key(Algorithm::Es256).thumbprint().to_owned();
    let same_id = PublicKey::from_jwk(&jwk.replace(&other_id, key.key_id())).unwrap();
    assert!(invalid_key(KeySet::new([key, same_id])).contains("same id"));
}

#[test]
fn a_key_is_found_by_its_exact_id() {
    let set = KeySet::new(ALGORITHMS.map(public_key)).unwrap();
    for algorithm in ALGORITHMS {
        let key = public_key(algorithm);
        assert_eq!(set.get(key.key_id()), Some(&key));
        for other_id in [
            "",
            &key.key_id()[..42],
            &format!("{}a", key.key_id()),
            &key.key_id().to_lowercase(),
        ] {
            assert_eq!(set.get(other_id), None);
        }
    }
}

#[test]
fn a_written_set_is_read_again_in_the_same_order() {
    let set = KeySet::new(ALGORITHMS.map(public_key)).unwrap();
    let document = set.to_jwks();
    assert_eq!(KeySet::from_jwks(document.as_bytes()).unwrap(), set);
    assert_eq!(
        KeySet::new(ALGORITHMS.map(public_key)).unwrap().to_jwks(),
        document
    );
    let private_members = ["\"d\"", "\"k\"", "\"p\"", "\"q\""];
    assert!(!private_members.iter().any(|name| document.contains(name)));
}
