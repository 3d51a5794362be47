//! The secrets in force: one that signs, any number that still verify.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, crypto};
use sha2::Sha256;
use zeroize::Zeroizing;

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
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the caller's copy is wiped here"
    )]
    pub fn new(current: Secret) -> Self {
        Self {
            current: Key::new(&current),
            previous: Vec::new(),
        }
    }

    /// Adds secrets that verify but never sign, in the order in which they are tried. A forged token costs one MAC for
    /// each secret, so drop those whose last tokens have expired.
    #[must_use]
    pub fn with_previous(mut self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        self.previous
            .extend(secrets.into_iter().map(|secret| Key::new(&secret)));
        self
    }

    /// The key id of the secret that signs. It names the secret and reveals nothing of it.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.current.id
    }

    pub(crate) fn current(&self) -> &Key {
        &self.current
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
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
    pub(crate) header: Header,
    /// What our own tokens under this key begin with; recognising it saves parsing the header.
    pub(crate) encoded_header: String,
    pub(crate) signing: EncodingKey,
    verifying: DecodingKey,
}

impl Key {
    fn new(secret: &Secret) -> Self {
        install_backend();
        let id = key_id(secret.expose());
        let header = Header {
            typ: Some(ACCESS_TOKEN_TYPE.to_owned()),
            kid: Some(id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        let encoded_header = serde_json::to_vec(&header)
            .map(|json| URL_SAFE_NO_PAD.encode(json))
            .unwrap_or_default();
        Self {
            id,
            header,
            encoded_header,
            signing: EncodingKey::from_secret(secret.expose()),
            verifying: DecodingKey::from_secret(secret.expose()),
        }
    }

    /// RFC 7515 § 5.2: the MAC over the received text; the backend compares in constant time.
    pub(crate) fn verifies(&self, message: &str, signature: &str) -> Result<bool, Error> {
        crypto::verify(
            signature,
            message.as_bytes(),
            &self.verifying,
            Algorithm::HS256,
        )
        .map_err(|_not_base64| Error::MalformedToken("The token signature is not base64url"))
    }
}

impl Key {
    /// HKDF-SHA-256 (RFC 5869) of the secret without salt: a key for one purpose that reveals nothing of the others.
    pub(crate) fn derive(&self, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut derived = Zeroizing::new([0; 32]);
        let expanded = Hkdf::<Sha256>::new(None, self.signing.as_bytes())
            .expand(purpose, derived.as_mut_slice());
        debug_assert!(
            expanded.is_ok(),
            "32 bytes are within HKDF's limit of 255 hashes"
        );
        derived
    }
}

fn key_id(secret: &[u8]) -> String {
    // HMAC takes keys of every length, so the default is never used.
    let digest = Hmac::<Sha256>::new_from_slice(secret)
        .map(|mac| mac.chain_update(KEY_ID_LABEL).finalize().into_bytes())
        .unwrap_or_default();
    URL_SAFE_NO_PAD.encode(digest.get(..KEY_ID_BYTES).unwrap_or_default())
}

/// `jsonwebtoken` panics at first use when another dependency turned on a second backend and nobody chose; so choose.
/// A host application that installed its own before keeps it.
fn install_backend() {
    #[cfg(feature = "aws_lc_rs")]
    let backend = &crypto::aws_lc::DEFAULT_PROVIDER;
    #[cfg(all(feature = "rust_crypto", not(feature = "aws_lc_rs")))]
    let backend = &crypto::rust_crypto::DEFAULT_PROVIDER;
    let _already_installed = backend.install_default();
}

#[cfg(test)]
mod tests {
    use super::Keyring;
    use crate::Secret;

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
