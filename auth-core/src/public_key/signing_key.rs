//! Defines a private key that signs tokens.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::KeypairBytes;
use p256::ecdsa::signature::Signer as _;
use p256::pkcs8::der::Decode as _;
use p256::pkcs8::{AssociatedOid as _, EncodePrivateKey as _, LineEnding, PrivateKeyInfoRef};
use zeroize::{Zeroize as _, Zeroizing};

use super::eddsa::Ed25519Key;
use super::es256::P256Key;
use super::key::{EC_OID, ED25519_OID, Material, RSA_OID};
use super::{Algorithm, PublicKey, pem};
use crate::{ACCESS_TOKEN_TYPE, Error, jws};

const MALFORMED: Error = Error::InvalidKey("the private key is malformed");
const IS_RSA: Error = Error::InvalidKey(
    "the private key is RSA, which this program cannot sign with; generate an Ed25519 or P-256 key",
);
const OTHER_CURVE: Error = Error::InvalidKey(
    "the private key is on another curve than P-256; generate an Ed25519 or P-256 key",
);
const OTHER_TYPE: Error = Error::InvalidKey(
    "the type of the private key is not supported; generate an Ed25519 or P-256 key",
);

/// A private key that signs tokens: EdDSA with a key on Ed25519, or ES256 with a key on P-256. The memory is wiped on
/// drop, and `Debug` does not show the key. Clones share the key.
///
/// Both algorithms are deterministic here (RFC 8032, RFC 6979): the same key and input produce the same signature.
///
/// ```
/// use auth_core::public_key::{Algorithm, SigningKey};
///
/// let key = SigningKey::generate(Algorithm::EdDsa)?;
/// let pem = key.to_pem()?;
/// assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
/// assert_eq!(SigningKey::from_pem(&pem)?.public_key(), key.public_key());
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    secret: SecretKey,
    public_key: PublicKey,
    /// The encoded header of access tokens.
    encoded_header: String,
}

enum SecretKey {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
}

impl SigningKey {
    /// Generates a key from random bytes of the operating system.
    ///
    /// # Errors
    ///
    /// [`Error::Crypto`] if the operating system returns no random bytes; [`Error::InvalidKey`] for an algorithm that
    /// this crate only verifies (RS256).
    pub fn generate(algorithm: Algorithm) -> Result<Self, Error> {
        match algorithm {
            Algorithm::EdDsa => {
                let key = ed25519_dalek::SigningKey::from_bytes(&*random_bytes()?);
                Self::new(SecretKey::Ed25519(key))
            }
            Algorithm::Es256 => loop {
                // One in 2^32 values is not below the order of the curve.
                if let Ok(key) = p256::ecdsa::SigningKey::from_slice(&*random_bytes()?) {
                    return Self::new(SecretKey::P256(key));
                }
            },
            #[cfg(feature = "rs256")]
            Algorithm::Rs256 => Err(IS_RSA),
        }
    }

    /// Reads a PKCS#8 private key as PEM: `-----BEGIN PRIVATE KEY-----`. Accepts version 1, as OpenSSL writes, and
    /// version 2 with the public key (RFC 5958 § 2), as `ed25519-dalek` writes. White space around the block is
    /// accepted.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] for any other text. For the usual mistakes, such as an encrypted key, the message says
    /// what the text is and what to do.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let bytes = pem::decode_private(pem)?;
        let key = PrivateKeyInfoRef::from_der(&bytes).map_err(|_malformed| MALFORMED)?;
        match key.algorithm.oid {
            ED25519_OID => read_ed25519(key),
            EC_OID => read_p256(key),
            RSA_OID => Err(IS_RSA),
            _ => Err(OTHER_TYPE),
        }
    }

    fn new(secret: SecretKey) -> Result<Self, Error> {
        let public_key = PublicKey::new(match &secret {
            SecretKey::Ed25519(key) => {
                Material::Ed25519(Ed25519Key::new(key.verifying_key().as_bytes())?)
            }
            SecretKey::P256(key) => {
                Material::P256(P256Key::from_verifying_key(*key.verifying_key()))
            }
        });
        Ok(Self(Arc::new(Inner {
            encoded_header: encode_header(&public_key),
            public_key,
            secret,
        })))
    }

    /// Returns the public key, whose id is its thumbprint. Other services verify with it.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    /// Returns the algorithm, which the type of the key determines.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.public_key.algorithm()
    }

    /// Returns the private key as PEM: PKCS#8 version 1, which OpenSSL, Python and Node read too. The text is wiped on
    /// drop. Keep it secret: its holder can sign any token.
    ///
    /// # Errors
    ///
    /// [`Error::Crypto`] if the key cannot be encoded, which does not happen.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        let pem = match &self.0.secret {
            SecretKey::Ed25519(key) => {
                // With its public key, the key would be encoded as version 2, which OpenSSL, Python and Node refuse.
                let mut keypair = KeypairBytes {
                    secret_key: key.to_bytes(),
                    public_key: None,
                };
                let pem = keypair.to_pkcs8_pem(LineEnding::LF);
                keypair.secret_key.zeroize();
                pem
            }
            SecretKey::P256(key) => key.to_pkcs8_pem(LineEnding::LF),
        };
        pem.map_err(|_impossible| Error::Crypto)
    }

    /// Signs `payload` as an access token, a compact JWS (RFC 7515 § 7.1).
    pub(crate) fn sign_token(&self, payload: &[u8]) -> Result<String, Error> {
        let message = jws::append_payload(self.0.encoded_header.clone(), payload);
        let signature = self.sign(message.as_bytes())?;
        Ok(jws::append_signature(message, &signature))
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Error> {
        match &self.0.secret {
            SecretKey::Ed25519(key) => {
                let signature = key.try_sign(message);
                signature.map(|signature| signature.to_bytes())
            }
            SecretKey::P256(key) => {
                let signature = key.try_sign(message);
                signature.map(|signature: p256::ecdsa::Signature| signature.to_bytes().into())
            }
        }
        .map_err(|_impossible| Error::Crypto)
    }
}

fn random_bytes() -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|_no_entropy| Error::Crypto)?;
    Ok(bytes)
}

fn read_ed25519(info: PrivateKeyInfoRef<'_>) -> Result<SigningKey, Error> {
    let mut keypair = KeypairBytes::try_from(info).map_err(|_malformed| MALFORMED)?;
    // Compares the public key, if there is one, with that of the private key.
    let result = ed25519_dalek::SigningKey::try_from(&keypair);
    keypair.secret_key.zeroize();
    let key = result.map_err(|_wrong_public_key| MALFORMED)?;
    SigningKey::new(SecretKey::Ed25519(key))
}

fn read_p256(info: PrivateKeyInfoRef<'_>) -> Result<SigningKey, Error> {
    let curve = info.algorithm.parameters_oid();
    if curve.map_err(|_malformed| MALFORMED)? != p256::NistP256::OID {
        return Err(OTHER_CURVE);
    }
    let outer_public_key = info.public_key.and_then(|key| key.as_bytes());
    let key = p256::ecdsa::SigningKey::try_from(info).map_err(|_malformed| MALFORMED)?;
    // `p256` compares only the public key that is part of the private key, not this outer one.
    let point = key.verifying_key().to_sec1_point(false);
    if outer_public_key.is_some_and(|outer| outer != point.as_bytes()) {
        return Err(MALFORMED);
    }
    SigningKey::new(SecretKey::P256(key))
}

/// Encodes the header of access tokens. An algorithm and a thumbprint need no escaping in JSON.
fn encode_header(public_key: &PublicKey) -> String {
    let (algorithm, key_id) = (public_key.algorithm(), public_key.key_id());
    URL_SAFE_NO_PAD.encode(format!(
        r#"{{"typ":"{ACCESS_TOKEN_TYPE}","alg":"{algorithm}","kid":"{key_id}"}}"#
    ))
}

/// Shows the public key only.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("public_key", &self.0.public_key)
            .finish_non_exhaustive()
    }
}
