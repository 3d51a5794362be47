//! Defines a key: one secret of a keyring, and the values that are computed once from that secret.

use base64::DecodeSliceError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::hs256::MacKey;
use crate::{ACCESS_TOKEN_TYPE, Error, Secret, jws};

/// The text whose MAC under a secret starts with the key id of that secret.
const KEY_ID_LABEL: &[u8] = b"auth-core key id v1";
/// The length of a key id, in bytes before the base64url encoding.
const KEY_ID_BYTES: usize = 9;

/// A secret, its key id and its prepared MAC key.
#[derive(Clone)]
pub(crate) struct Key {
    /// The `kid` of tokens that this key signs.
    pub(crate) id: String,
    /// The encoded header of access tokens that this key signs. A token with this header needs no header parsing.
    pub(crate) encoded_header: String,
    pub(crate) secret: Secret,
    pub(crate) mac: MacKey,
}

impl Key {
    pub(super) fn new(secret: Secret) -> Self {
        let mac_key = MacKey::new(secret.expose());
        let id = key_id(&mac_key);
        Self {
            encoded_header: encode_header(ACCESS_TOKEN_TYPE, &id),
            id,
            secret,
            mac: mac_key,
        }
    }

    /// Signs `payload` as an access token, a compact JWS (RFC 7515 § 7.1).
    pub(crate) fn sign(&self, payload: &[u8]) -> String {
        self.append_signed_payload(self.encoded_header.clone(), payload)
    }

    /// Signs `payload` as a compact JWS of type `typ`, which must not need escaping in JSON.
    pub(crate) fn sign_with_type(&self, typ: &str, payload: &[u8]) -> String {
        self.append_signed_payload(encode_header(typ, &self.id), payload)
    }

    /// Appends payload and signature to an encoded header.
    fn append_signed_payload(&self, encoded_header: String, payload: &[u8]) -> String {
        let message = jws::append_payload(encoded_header, payload);
        let tag = self.mac.tag(message.as_bytes());
        jws::append_signature(message, &tag)
    }

    /// Returns whether `signature`, in base64url, is the MAC of `message` (RFC 7515 § 5.2). Compares in constant time.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`] if `signature` is not base64url. If it has more than 64 characters, the result may be
    /// `false` instead.
    pub(crate) fn verifies(&self, message: &str, signature: &str) -> Result<bool, Error> {
        // A valid tag has 32 bytes. A longer tag is a mismatch, even if it does not fit into the buffer.
        let mut buffer = [0; 48];
        match URL_SAFE_NO_PAD.decode_slice(signature, &mut buffer) {
            Ok(length) => {
                let tag = buffer.get(..length).unwrap_or_default();
                Ok(self.mac.verifies(message.as_bytes(), tag))
            }
            Err(DecodeSliceError::OutputSliceTooSmall) => Ok(false),
            Err(DecodeSliceError::DecodeError(_)) => Err(Error::MalformedToken(
                "The token signature is not base64url",
            )),
        }
    }

    /// Derives the MAC key for one purpose. The derived key reveals nothing about the keys for other purposes.
    pub(crate) fn derive(&self, purpose: &[u8]) -> MacKey {
        MacKey::new(&*self.secret.derive(&[purpose]))
    }
}

/// Encodes a JOSE header. The token types of this crate and key ids (base64url) need no escaping in JSON.
fn encode_header(typ: &str, key_id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!(
        r#"{{"typ":"{typ}","alg":"HS256","kid":"{key_id}"}}"#
    ))
}

fn key_id(mac_key: &MacKey) -> String {
    let tag = mac_key.tag(KEY_ID_LABEL);
    URL_SAFE_NO_PAD.encode(tag.get(..KEY_ID_BYTES).unwrap_or_default())
}
