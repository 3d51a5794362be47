//! Defines a set of public keys.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{JwkSet, MAX_KEYS, PublicKey};
use crate::Error;

/// The public keys of one issuer. A token names its key by `kid`. Clones share the keys.
///
/// A set has 1 to 64 keys with different ids, and never a secret. It does not change: for keys that an issuer rotates,
/// use [`RemoteKeySet`](crate::remote::RemoteKeySet) (feature `remote`), or create a new verifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySet(Arc<[PublicKey]>);

impl KeySet {
    /// Creates a set of these keys.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] if there are no keys or more than 64, or if two keys have the same id.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Result<Self, Error> {
        let keys: Vec<PublicKey> = keys.into_iter().take(MAX_KEYS + 1).collect();
        let mut ids: Vec<&str> = keys.iter().map(PublicKey::key_id).collect();
        ids.sort_unstable();
        ids.dedup();
        if keys.is_empty() {
            Err(Error::InvalidKey("a key set needs at least one usable key"))
        } else if keys.len() > MAX_KEYS {
            Err(Error::InvalidKey("a key set has at most 64 keys"))
        } else if ids.len() < keys.len() {
            Err(Error::InvalidKey(
                "two keys of the key set have the same id",
            ))
        } else {
            Ok(Self(keys.into()))
        }
    }

    /// Creates a set of the usable keys of a JWK Set document (RFC 7517 § 5), as [`JwkSet::parse`] reads it.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] if the document is not a JWK Set or contains no usable key. [`JwkSet::skipped`] says why a
    /// key is not usable.
    pub fn from_jwks(document: &[u8]) -> Result<Self, Error> {
        Self::new(JwkSet::parse(document)?.keys().iter().cloned())
    }

    /// Returns the key with this id.
    #[must_use]
    pub fn get(&self, key_id: &str) -> Option<&PublicKey> {
        self.0.iter().find(|key| key.key_id() == key_id)
    }

    /// Returns the keys, in the order in which they were passed.
    #[must_use]
    pub fn keys(&self) -> &[PublicKey] {
        &self.0
    }

    /// Returns the JWK Set document for other verifiers: one JSON object with the array `keys`. Equal sets have the
    /// same text. Send it as `application/json`.
    #[must_use]
    pub fn to_jwks(&self) -> String {
        let keys = self.0.iter().map(|key| Value::Object(key.jwk()));
        json!({ "keys": keys.collect::<Vec<_>>() }).to_string()
    }
}
