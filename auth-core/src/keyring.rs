//! Defines a keyring: a current secret, which signs and verifies, and previous secrets, which only verify.

mod key;
mod mac_keys;

use std::fmt;

use crate::Secret;
use crate::hs256::MacKey;
pub(crate) use key::Key;
pub(crate) use mac_keys::MacKeys;

/// The secrets of an issuer or verifier: the current secret signs, previous secrets still verify.
///
/// Each secret has a key id (`kid`, RFC 7515 § 4.1.4) that is computed from the secret, so services that share a secret
/// agree on the key id without a setting. The id is the first 9 bytes of HMAC-SHA-256 of `auth-core key id v1` under
/// the secret, in base64url (12 characters). To rotate the secret, create a keyring of the new secret and pass the old
/// secret to [`with_previous`](Self::with_previous).
///
/// ```
/// use auth_core::{Keyring, Secret};
///
/// let old_secret = Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P")?;
/// let keyring = Keyring::new(Secret::generate()?).with_previous([old_secret]);
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Keyring {
    current: Key,
    previous: Vec<Key>,
}

impl Keyring {
    /// Creates a keyring of one secret, which signs and verifies.
    #[must_use]
    pub fn new(current: Secret) -> Self {
        Self {
            current: Key::new(current),
            previous: Vec::new(),
        }
    }

    /// Adds secrets that verify but never sign, tried in this order after the key that `kid` names and the current key.
    ///
    /// The number of secrets is not limited, but a forged token costs up to one MAC per secret. Remove a previous
    /// secret after the last token that was signed with that secret has expired.
    #[must_use]
    pub fn with_previous(mut self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        self.previous.extend(secrets.into_iter().map(Key::new));
        self
    }

    /// Returns the key id of the secret that signs: 12 characters from which the secret cannot be computed.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.current.id
    }

    /// Adds every key of `keyring` as a previous key.
    pub(crate) fn with_previous_keyring(mut self, keyring: Self) -> Self {
        self.previous.push(keyring.current);
        self.previous.extend(keyring.previous);
        self
    }

    pub(crate) fn signing_key(&self) -> &Key {
        &self.current
    }

    /// Iterates over all keys, the current key first.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// Computes one MAC key per secret.
    pub(crate) fn mac_keys(&self, derive: impl Fn(&Key) -> MacKey) -> MacKeys {
        MacKeys {
            current: derive(&self.current),
            previous: self.previous.iter().map(derive).collect(),
        }
    }

    /// Iterates over each key once, first over the key that `kid` names.
    ///
    /// `kid` is a hint only (RFC 7515 § 4.1.4): a token of a library that sets another `kid`, or none, still verifies.
    pub(crate) fn keys_by_hint(&self, kid: Option<&str>) -> impl Iterator<Item = &Key> {
        let is_named = move |key: &&Key| kid == Some(key.id.as_str());
        let named_keys = self.keys().filter(is_named);
        named_keys.chain(self.keys().filter(move |key| !is_named(key)))
    }
}

/// Shows key ids only.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys().map(|key| &key.id))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Keyring;
    use crate::Secret;

    #[test]
    fn the_key_that_kid_names_comes_first_and_each_key_comes_once() {
        let previous_secrets: Vec<Secret> = (0..3).map(|_| Secret::generate().unwrap()).collect();
        let keyring = Keyring::new(secret()).with_previous(previous_secrets);
        let all_ids: Vec<&str> = keyring.keys().map(|key| key.id.as_str()).collect();
        for named_id in &all_ids {
            let mut tried_ids: Vec<&str> = keyring
                .keys_by_hint(Some(named_id))
                .map(|key| key.id.as_str())
                .collect();
            assert_eq!(tried_ids.first(), Some(named_id));
            tried_ids.sort_unstable();
            let mut expected_ids = all_ids.clone();
            expected_ids.sort_unstable();
            assert_eq!(tried_ids, expected_ids);
        }
        for unknown_id in [None, Some("unknown")] {
            let tried_ids: Vec<&str> = keyring
                .keys_by_hint(unknown_id)
                .map(|key| key.id.as_str())
                .collect();
            assert_eq!(tried_ids, all_ids);
        }
    }

    fn secret() -> Secret {
        Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap()
    }

    #[test]
    fn the_key_id_depends_on_the_secret_only() {
        let id = Keyring::new(secret()).key_id().to_owned();
        assert_eq!(
            id,
            Keyring::new(secret())
                .with_previous([Secret::generate().unwrap()])
                .key_id()
        );
        assert_ne!(id, Keyring::new(Secret::generate().unwrap()).key_id());
        assert_eq!(id.len(), 12);
    }

    #[test]
    fn debug_output_shows_key_ids_only() {
        let keyring = Keyring::new(secret());
        assert_eq!(format!("{keyring:?}"), format!("[{:?}]", keyring.key_id()));
    }
}
