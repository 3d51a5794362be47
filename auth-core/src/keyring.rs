//! The secrets in force: one that signs, any number that still verify.

use std::fmt;

use base64::DecodeSliceError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::hs256::MacKey;
use crate::{ACCESS_TOKEN_TYPE, Error, Secret};

const KEY_ID_LABEL: &[u8] = b"auth-core key id v1";
const KEY_ID_BYTES: usize = 9;

/// The secrets of an issuer or verifier: the current one signs, the previous ones are still accepted.
///
/// Each has a key id (`kid`, RFC 7515 § 4.1.4) computed from it, so two services that share a secret agree on its
/// name without configuring one: the first 9 bytes of HMAC-SHA-256 of `auth-core key id v1` under the secret, in
/// base64url. Rotate by moving the old secret to `previous`; nobody is logged out.
///
/// ```
/// use auth_core::{Keyring, Secret};
///
/// let old = Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P")?;
/// let keyring = Keyring::new(Secret::generate()?).with_previous([old]);
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Keyring {
    current: Key,
    previous: Vec<Key>,
}

impl Keyring {
    /// A keyring of one secret, which signs and verifies.
    #[must_use]
    pub fn new(current: Secret) -> Self {
        Self {
            current: Key::new(current),
            previous: Vec::new(),
        }
    }

    /// Adds secrets that verify but never sign, in the order in which they are tried. A forged token costs one MAC for
    /// each secret, so drop those whose last tokens have expired.
    #[must_use]
    pub fn with_previous(mut self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        self.previous.extend(secrets.into_iter().map(Key::new));
        self
    }

    /// The key id of the secret that signs. It names the secret and reveals nothing of it.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.current.id
    }

    /// Adds every key of another keyring as previous ones.
    pub(crate) fn with_previous_of(mut self, other: Self) -> Self {
        self.previous.push(other.current);
        self.previous.extend(other.previous);
        self
    }

    pub(crate) fn current(&self) -> &Key {
        &self.current
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// `kid` is a hint (RFC 7515 § 4.1.4): the key it names comes first, then the others, so a token made by a library
    /// that sets another `kid`, or none, still verifies. There are as many tries as secrets.
    pub(crate) fn keys_for(&self, kid: Option<&str>) -> impl Iterator<Item = &Key> {
        let named = move |key: &&Key| kid == Some(key.id.as_str());
        let first = self.keys().filter(named);
        first.chain(self.keys().filter(move |key| !named(key)))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys().map(|key| &key.id))
            .finish()
    }
}

/// One secret, ready for use.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    /// What our own tokens under this key begin with; recognising it saves parsing the header.
    pub(crate) encoded_header: String,
    pub(crate) secret: Secret,
    mac: MacKey,
}

impl Key {
    fn new(secret: Secret) -> Self {
        let mac = MacKey::new(secret.expose());
        let id = key_id(&mac);
        Self {
            encoded_header: encoded_header(ACCESS_TOKEN_TYPE, &id),
            id,
            secret,
            mac,
        }
    }

    /// A compact access token (RFC 7515 § 7.1).
    pub(crate) fn sign(&self, payload: &[u8]) -> String {
        self.compact(self.encoded_header.clone(), payload)
    }

    /// A compact token of another type.
    pub(crate) fn sign_as(&self, typ: &str, payload: &[u8]) -> String {
        self.compact(encoded_header(typ, &self.id), payload)
    }

    fn compact(&self, mut token: String, payload: &[u8]) -> String {
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let tag = self.mac.tag(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(tag, &mut token);
        token
    }

    /// RFC 7515 § 5.2: the MAC over the received text.
    pub(crate) fn verifies(&self, message: &str, signature: &str) -> Result<bool, Error> {
        // A tag has 32 bytes; a little room tells a longer one from what is no base64url at all.
        let mut tag = [0; 48];
        match URL_SAFE_NO_PAD.decode_slice(signature, &mut tag) {
            Ok(length) => {
                let tag = tag.get(..length).unwrap_or_default();
                Ok(self.mac.verifies(message.as_bytes(), tag))
            }
            Err(DecodeSliceError::OutputSliceTooSmall) => Ok(false),
            Err(DecodeSliceError::DecodeError(_)) => Err(Error::MalformedToken(
                "The token signature is not base64url",
            )),
        }
    }

    /// A key for one purpose that reveals nothing of the others.
    pub(crate) fn derive(&self, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
        self.secret.derive(&[purpose])
    }
}

/// Nothing in a type of ours or in an id, which is base64url, needs escaping.
fn encoded_header(typ: &str, key_id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!(
        r#"{{"typ":"{typ}","alg":"HS256","kid":"{key_id}"}}"#
    ))
}

fn key_id(mac: &MacKey) -> String {
    let tag = mac.tag(KEY_ID_LABEL);
    URL_SAFE_NO_PAD.encode(tag.get(..KEY_ID_BYTES).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::Keyring;
    use crate::Secret;

    #[test]
    fn the_key_that_kid_names_is_tried_first_and_each_is_tried_once() {
        let previous: Vec<Secret> = (0..3).map(|_| Secret::generate().unwrap()).collect();
        let keyring = Keyring::new(secret()).with_previous(previous);
        let all: Vec<&str> = keyring.keys().map(|key| key.id.as_str()).collect();
        for named in &all {
            let mut tried: Vec<&str> = keyring
                .keys_for(Some(named))
                .map(|key| key.id.as_str())
                .collect();
            assert_eq!(tried.first(), Some(named));
            tried.sort_unstable();
            let mut expected = all.clone();
            expected.sort_unstable();
            assert_eq!(tried, expected);
        }
        for unknown in [None, Some("unknown")] {
            let tried: Vec<&str> = keyring
                .keys_for(unknown)
                .map(|key| key.id.as_str())
                .collect();
            assert_eq!(tried, all);
        }
    }

    fn secret() -> Secret {
        Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap()
    }

    #[test]
    fn the_key_id_is_a_function_of_the_secret_alone() {
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
    fn printing_a_keyring_shows_key_ids_only() {
        let keyring = Keyring::new(secret());
        assert_eq!(format!("{keyring:?}"), format!("[{:?}]", keyring.key_id()));
    }
}
