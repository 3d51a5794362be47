//! EdDSA with keys on Ed25519 (RFC 8032, RFC 8037).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::{EncodePublicKey as _, PublicKeyBytes};
use ed25519_dalek::{Signature, VerifyingKey};
use p256::pkcs8::{LineEnding, SubjectPublicKeyInfoRef};

use super::thumbprint::Member;
use crate::Error;

const NOT_A_POINT: Error = Error::InvalidKey("`x` of the Ed25519 key is not a point of the curve");
const WEAK: Error =
    Error::InvalidKey("the Ed25519 key is a point of small order, for which anyone can sign");
const NOT_CANONICAL: Error =
    Error::InvalidKey("`x` of the Ed25519 key is not the canonical encoding of its point");
const NOT_A_KEY: Error = Error::InvalidKey("the PEM is not a public key on Ed25519");

/// A public key on Ed25519.
pub(super) struct Ed25519Key(VerifyingKey);

impl Ed25519Key {
    /// Decodes a key.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] for a point of small order and for an encoding that is not canonical (RFC 8032 § 5.1.3),
    /// both of which `ed25519_dalek` accepts, and for bytes that are no point of the curve.
    pub(super) fn new(bytes: &[u8; 32]) -> Result<Self, Error> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_no_point| NOT_A_POINT)?;
        if key.is_weak() {
            return Err(WEAK);
        }
        if VerifyingKey::from(key.to_edwards()).as_bytes() != bytes {
            return Err(NOT_CANONICAL);
        }
        Ok(Self(key))
    }

    /// Decodes a key in the form of X.509 (RFC 8410 § 4).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] for another form, and as [`new`](Self::new).
    pub(super) fn from_spki(spki: SubjectPublicKeyInfoRef<'_>) -> Result<Self, Error> {
        let bytes = PublicKeyBytes::try_from(spki);
        Self::new(&bytes.map_err(|_malformed| NOT_A_KEY)?.0)
    }

    /// Returns whether `signature` is a signature of `message`. Also rejects an `R` of small order, and `R` and `S` in
    /// an encoding that is not canonical, so a valid signature cannot be changed into another valid one.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }

    /// Returns the required members of the JWK (RFC 8037 § 2) in the order of their names.
    pub(super) fn members(&self) -> Vec<Member> {
        vec![
            ("crv", "Ed25519".to_owned()),
            ("kty", "OKP".to_owned()),
            ("x", URL_SAFE_NO_PAD.encode(self.0.as_bytes())),
        ]
    }

    /// Encodes the key in the form of X.509, as PEM.
    pub(super) fn to_pem(&self) -> Result<String, Error> {
        let pem = self.0.to_public_key_pem(LineEnding::LF);
        pem.map_err(|_impossible| Error::Crypto)
    }
}
