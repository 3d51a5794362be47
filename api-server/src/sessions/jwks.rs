//! Writes the document with the public keys of access tokens (JWK Set, RFC 7517 § 5).

use auth_core::Error;
use auth_core::public_key::{KeySet, PublicKey};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};

/// Returns the JWK Set with these keys. It is written with the types of `jsonwebtoken`, so that services can read every
/// published key with that crate. The JSON members are sorted by name, as in [`KeySet::to_jwks`].
///
/// # Errors
///
/// [`Error::InvalidKey`] for a key that `jsonwebtoken` cannot read.
pub(super) fn document(keys: &KeySet) -> Result<String, Error> {
    const UNREADABLE: Error =
        Error::InvalidKey("other programs could not read the public key; use another key");
    let keys: Option<Vec<Jwk>> = keys.keys().iter().map(jwk).collect();
    let keys = keys.ok_or(UNREADABLE)?;
    // A `Value` sorts the members by name; `JwkSet` itself does not.
    let document = serde_json::to_value(JwkSet { keys });
    Ok(document.map_err(|_never| UNREADABLE)?.to_string())
}

/// Returns the key as `jsonwebtoken` reads it; `None` if that crate does not know the type or the algorithm of the key.
fn jwk(key: &PublicKey) -> Option<Jwk> {
    let jwk: Jwk = serde_json::from_str(&key.to_jwk()).ok()?;
    let has_known_type = matches!(
        jwk.algorithm,
        AlgorithmParameters::EllipticCurve(_) | AlgorithmParameters::OctetKeyPair(_)
    );
    let name = jwk.common.key_algorithm.map(|name| name.to_string());
    let has_known_algorithm = name.as_deref() == Some(key.algorithm().name());
    (has_known_type && has_known_algorithm).then_some(jwk)
}

#[cfg(test)]
mod tests {
    use auth_core::public_key::{Algorithm, KeySet, SigningKey};
    use serde_json::Value;

    use super::document;

    #[test]
    fn the_document_has_the_bytes_that_auth_core_writes() {
        for algorithms in [
            &[Algorithm::EdDsa][..],
            &[Algorithm::Es256],
            &[Algorithm::Es256, Algorithm::EdDsa, Algorithm::Es256],
        ] {
            let keys = algorithms.iter().map(|algorithm| {
                let key = SigningKey::generate(*algorithm).unwrap();
                key.public_key().clone()
            });
            let keys = KeySet::new(keys).unwrap();
            assert_eq!(document(&keys).unwrap(), keys.to_jwks());
        }
    }

    #[test]
    fn a_set_of_the_largest_size_is_one_document() {
        let keys = (0..64).map(|_| SigningKey::generate(Algorithm::EdDsa).unwrap());
        let keys = KeySet::new(keys.map(|key| key.public_key().clone())).unwrap();
        let document: Value = serde_json::from_str(&document(&keys).unwrap()).unwrap();
        assert_eq!(document["keys"].as_array().unwrap().len(), 64);
    }
}
