//! Parses a JWK Set document (RFC 7517 § 5) key by key.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::PublicKey;
use super::jwk::Jwk;
use crate::Error;

/// The longest JWK Set document, in bytes: 1 MiB. A longer document is rejected without parsing.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// The maximum number of keys in a [`KeySet`](super::KeySet) and in a JWK Set document: 64. A document with more keys
/// is rejected.
pub const MAX_KEYS: usize = 64;

const DUPLICATE_ID: Error =
    Error::InvalidKey("another key of the document has the same `kid`; neither is used");
const NO_ID: Error = Error::InvalidKey("the key has no `kid`, so no token can name it");

/// The content of a JWK Set document: the keys that can verify tokens, and the keys that were skipped.
///
/// One bad key does not make the others unusable (RFC 7517 § 5): a key is skipped if this crate does not support its
/// type, if it is not for signatures, or if it breaks a rule of [`PublicKey::from_jwk`]. A key without `kid` is
/// skipped, because tokens name their key. If several keys have the same `kid`, all of them are skipped.
///
/// ```
/// use auth_core::public_key::JwkSet;
///
/// let document = br#"{"keys": [
///     {"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
///     {"kty": "EC", "crv": "P-521", "kid": "2", "x": "", "y": ""}
/// ]}"#;
/// let set = JwkSet::parse(document)?;
/// assert_eq!(set.keys()[0].key_id(), "1");
/// assert_eq!(
///     set.skipped()[0].to_string(),
///     r#"key 1 (kid "2"): the curve of the key (`crv`) is absent or does not belong to its type"#
/// );
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct JwkSet {
    keys: Vec<PublicKey>,
    skipped: Vec<SkippedKey>,
}

/// A skipped key of a JWK Set document, and the reason. `Display` is one line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedKey {
    /// The position in the document, from 0.
    pub index: usize,
    /// The `kid` of the key, if it is text.
    pub key_id: Option<String>,
    /// The reason, an [`Error::InvalidKey`].
    pub reason: Error,
}

#[derive(Deserialize)]
struct Document<'t> {
    #[serde(borrow)]
    keys: Vec<&'t RawValue>,
}

impl JwkSet {
    /// Parses a document of at most 1 MiB and 64 keys. Members other than `keys` are ignored. The result may have no
    /// key that can verify.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] unless the document is one JSON object in UTF-8 whose `keys` occurs once and is an array,
    /// and for a document that is too long or has too many keys.
    pub fn parse(document: &[u8]) -> Result<Self, Error> {
        const NOT_A_SET: Error = Error::InvalidKey(
            "the document is not a JWK Set: one JSON object with the array `keys`",
        );
        if document.len() > MAX_DOCUMENT_BYTES {
            return Err(Error::InvalidKey("the document is longer than 1 MiB"));
        }
        let text = std::str::from_utf8(document).map_err(|_not_utf8| NOT_A_SET)?;
        // A derived `Deserialize` would also accept an array of the values of the members.
        if !text.trim_ascii_start().starts_with('{') {
            return Err(NOT_A_SET);
        }
        let Document { keys } = serde_json::from_str(text).map_err(|_malformed| NOT_A_SET)?;
        if keys.len() > MAX_KEYS {
            return Err(Error::InvalidKey("the document has more than 64 keys"));
        }
        Ok(Self::from_texts(&keys))
    }

    fn from_texts(texts: &[&RawValue]) -> Self {
        let ids: Vec<_> = texts.iter().map(|text| read_key_id(text.get())).collect();
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for (index, (text, key_id)) in texts.iter().zip(&ids).enumerate() {
            let is_same = |other_id: &&Option<String>| key_id.is_some() && *other_id == key_id;
            let is_duplicate = ids.iter().filter(is_same).count() > 1;
            match parse_key(text.get(), is_duplicate) {
                Ok(key) => keys.push(key),
                Err(reason) => skipped.push(SkippedKey {
                    index,
                    key_id: key_id.clone(),
                    reason,
                }),
            }
        }
        Self { keys, skipped }
    }

    /// Returns the keys that can verify tokens, in the order of the document.
    #[must_use]
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// Returns the keys that were skipped, in the order of the document, with the reason for each.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }
}

fn parse_key(text: &str, is_duplicate: bool) -> Result<PublicKey, Error> {
    let jwk = Jwk::parse(text)?;
    let material = jwk.material()?;
    let key_id = jwk.key_id()?.ok_or(NO_ID)?;
    if is_duplicate {
        return Err(DUPLICATE_ID);
    }
    Ok(PublicKey::new(material).with_id(key_id.to_owned()))
}

/// Reads the `kid` of a key, even if the key breaks a rule.
fn read_key_id(text: &str) -> Option<String> {
    let key: Value = serde_json::from_str(text).ok()?;
    Some(key.get("kid")?.as_str()?.to_owned())
}

/// Writes one line for the log. Line breaks and other control characters of a `kid` are escaped.
impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, reason, .. } = self;
        match &self.key_id {
            Some(key_id) => write!(f, "key {index} (kid {key_id:?}): {reason}"),
            None => write!(f, "key {index}: {reason}"),
        }
    }
}
