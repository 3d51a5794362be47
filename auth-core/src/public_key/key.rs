//! Defines a public key.

use std::fmt;
use std::sync::Arc;

use base64::DecodeSliceError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::pkcs8::SubjectPublicKeyInfoRef;
use p256::pkcs8::der::Decode as _;
use p256::pkcs8::der::asn1::ObjectIdentifier;
use serde_json::{Map, Value};

use super::eddsa::Ed25519Key;
use super::es256::P256Key;
use super::jwk::Jwk;
#[cfg(feature = "rs256")]
use super::rs256::RsaKey;
use super::thumbprint::{Member, thumbprint};
use super::{Algorithm, pem};
use crate::Error;

/// The object identifiers of the types of keys: RFC 8410 § 3, RFC 5480 § 2.1.1, RFC 8017 appendix A.1.
pub(super) const ED25519_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
pub(super) const EC_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const RSA_OID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The longest signature, in bytes: that of an RSA key of 8192 bits. Signatures of the other algorithms have 64 bytes.
const MAX_SIGNATURE_BYTES: usize = 1024;

/// A public key: verifies the signatures of one private key. Clones share the key.
///
/// The id of a key, which tokens name as `kid` (RFC 7515 § 4.1.4), is the `kid` of its JWK, or else the
/// [`thumbprint`](Self::thumbprint). Issuers of this crate use the thumbprint.
///
/// ```
/// use auth_core::public_key::{Algorithm, PublicKey};
///
/// let key = PublicKey::from_pem(
///     "-----BEGIN PUBLIC KEY-----\n\
///      MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n\
///      -----END PUBLIC KEY-----\n",
/// )?;
/// assert_eq!(key.algorithm(), Algorithm::EdDsa);
/// assert_eq!(key.key_id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct PublicKey(Arc<Inner>);

struct Inner {
    material: Material,
    id: String,
    thumbprint: String,
}

/// The public key itself, by its type.
pub(super) enum Material {
    Ed25519(Ed25519Key),
    P256(P256Key),
    #[cfg(feature = "rs256")]
    Rsa(RsaKey),
}

impl PublicKey {
    /// Reads a key in the form of X.509 (`SubjectPublicKeyInfo`) as PEM: `-----BEGIN PUBLIC KEY-----`. Accepts Ed25519
    /// and P-256 and, with the feature `rs256`, RSA of 2048 to 8192 bits.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] for any other text, such as a private key, a certificate or several blocks, and for a key
    /// that is weak or malformed.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        const OTHER_TYPE: Error =
            Error::InvalidKey("the type of the key in the PEM is not supported");
        let bytes = pem::decode_public(pem)?;
        let spki = SubjectPublicKeyInfoRef::from_der(&bytes)
            .map_err(|_malformed| Error::InvalidKey("the PEM does not contain a public key"))?;
        let material = match spki.algorithm.oid {
            ED25519_OID => Material::Ed25519(Ed25519Key::from_spki(spki)?),
            EC_OID => Material::P256(P256Key::from_spki(spki)?),
            #[cfg(feature = "rs256")]
            RSA_OID => Material::Rsa(RsaKey::from_spki(&spki)?),
            _ => return Err(OTHER_TYPE),
        };
        Ok(Self::new(material))
    }

    /// Reads a JSON Web Key (RFC 7517): one JSON object without duplicate names.
    ///
    /// `kty` and `crv` must be `OKP` and `Ed25519`, or `EC` and `P-256`. With the feature `rs256`, `kty` may also be
    /// `RSA`. Coordinates must have exactly 32 bytes and be a point of the curve, for Ed25519 in its canonical encoding
    /// and not of small order. RSA keys must have 2048 to 8192 bits and an odd exponent from 3 to 2^33. `kid` must be
    /// absent or not empty, `use` absent or `sig`, `key_ops` absent or contain `verify`, `alg` absent or the algorithm
    /// of the key. A key with a private member is rejected, and so is a secret (`oct`). `x5c` and other members are
    /// ignored.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`], which names the first rule that is broken.
    pub fn from_jwk(json: &str) -> Result<Self, Error> {
        let jwk = Jwk::parse(json)?;
        let key = Self::new(jwk.material()?);
        Ok(match jwk.key_id()? {
            Some(id) => key.with_id(id.to_owned()),
            None => key,
        })
    }

    /// Creates a key whose id is its thumbprint.
    pub(super) fn new(material: Material) -> Self {
        let thumbprint = thumbprint(&material.members());
        Self(Arc::new(Inner {
            id: thumbprint.clone(),
            thumbprint,
            material,
        }))
    }

    /// Sets the id of a key that has no clones yet.
    pub(super) fn with_id(mut self, id: String) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.id = id;
        }
        self
    }

    /// Returns the algorithm, which the type of the key determines.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.material.algorithm()
    }

    /// Returns the id, which tokens name as `kid`.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.0.id
    }

    /// Returns the SHA-256 thumbprint (RFC 7638): 43 characters that depend on the key alone.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.0.thumbprint
    }

    /// Returns the JSON Web Key, one JSON object with `kid`, `use` (`sig`) and `alg`. The object has no private member.
    #[must_use]
    pub fn to_jwk(&self) -> String {
        Value::Object(self.jwk()).to_string()
    }

    pub(super) fn jwk(&self) -> Map<String, Value> {
        let members = self.0.material.members().into_iter();
        let metadata = [
            ("kid", self.key_id().to_owned()),
            ("use", "sig".to_owned()),
            ("alg", self.algorithm().name().to_owned()),
        ];
        let to_json = |(name, value): Member| (name.to_owned(), Value::String(value));
        members.chain(metadata).map(to_json).collect()
    }

    /// Returns the key in the form of X.509 as PEM, with `\n` at the end of each line.
    ///
    /// # Errors
    ///
    /// [`Error::Crypto`] if the key cannot be encoded, which does not happen.
    pub fn to_pem(&self) -> Result<String, Error> {
        match &self.0.material {
            Material::Ed25519(key) => key.to_pem(),
            Material::P256(key) => key.to_pem(),
            #[cfg(feature = "rs256")]
            Material::Rsa(key) => key.to_pem(),
        }
    }

    /// Returns whether `signature`, in base64url, is a signature of `message` (RFC 7515 § 5.2).
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`] if `signature` is not base64url. If it is longer than any signature, the result may be
    /// `false` instead.
    pub(crate) fn verifies(&self, message: &str, signature: &str) -> Result<bool, Error> {
        let mut buffer = [0; MAX_SIGNATURE_BYTES];
        match URL_SAFE_NO_PAD.decode_slice(signature, &mut buffer) {
            Ok(length) => {
                let signature = buffer.get(..length).unwrap_or_default();
                Ok(self.0.material.verifies(message.as_bytes(), signature))
            }
            Err(DecodeSliceError::OutputSliceTooSmall) => Ok(false),
            Err(DecodeSliceError::DecodeError(_)) => Err(Error::MalformedToken(
                "The token signature is not base64url",
            )),
        }
    }
}

impl Material {
    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
            #[cfg(feature = "rs256")]
            Self::Rsa(_) => Algorithm::Rs256,
        }
    }

    fn members(&self) -> Vec<Member> {
        match self {
            Self::Ed25519(key) => key.members(),
            Self::P256(key) => key.members(),
            #[cfg(feature = "rs256")]
            Self::Rsa(key) => key.members(),
        }
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Ed25519(key) => key.verifies(message, signature),
            Self::P256(key) => key.verifies(message, signature),
            #[cfg(feature = "rs256")]
            Self::Rsa(key) => key.verifies(message, signature),
        }
    }
}

/// Keys are equal if they verify the same signatures and have the same id.
impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.thumbprint() == other.thumbprint() && self.key_id() == other.key_id()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("algorithm", &self.algorithm())
            .field("key_id", &self.key_id())
            .finish_non_exhaustive()
    }
}
