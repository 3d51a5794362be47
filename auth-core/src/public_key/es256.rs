//! ES256: ECDSA with keys on P-256, and SHA-256 (RFC 7518 § 3.4).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::pkcs8::{EncodePublicKey as _, LineEnding, SubjectPublicKeyInfoRef};

use super::thumbprint::Member;
use crate::Error;

/// The first byte of an uncompressed point (SEC 1 § 2.3.3).
const UNCOMPRESSED: u8 = 0x04;

const NOT_A_POINT: Error =
    Error::InvalidKey("`x` and `y` of the key are not a point of the curve P-256");
const NOT_A_KEY: Error = Error::InvalidKey("the PEM is not a public key on the curve P-256");

/// A public key on P-256.
pub(super) struct P256Key(VerifyingKey);

impl P256Key {
    /// Creates a key from the coordinates of its point.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] if the point is not on the curve or is the point at infinity.
    pub(super) fn new(x: &[u8; 32], y: &[u8; 32]) -> Result<Self, Error> {
        let point = [&[UNCOMPRESSED], &x[..], &y[..]].concat();
        let key = VerifyingKey::from_sec1_bytes(&point);
        key.map(Self).map_err(|_no_point| NOT_A_POINT)
    }

    /// Decodes a key in the form of X.509 (RFC 5480 § 2).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] for another form or curve, and as [`new`](Self::new).
    pub(super) fn from_spki(spki: SubjectPublicKeyInfoRef<'_>) -> Result<Self, Error> {
        let key = VerifyingKey::try_from(spki);
        key.map(Self).map_err(|_malformed| NOT_A_KEY)
    }

    /// Wraps the public part of a signing key.
    pub(super) const fn from_verifying_key(key: VerifyingKey) -> Self {
        Self(key)
    }

    /// Returns whether `signature`, the 64 bytes of `r` and `s` (RFC 7518 § 3.4), is a signature of `message`. An `s`
    /// above half of the group order is accepted too, because many signers produce one. So a token can be changed into
    /// another valid text: do not identify a token by its text.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify(message, &signature).is_ok())
    }

    /// Returns the required members of the JWK (RFC 7518 § 6.2.1) in the order of their names.
    pub(super) fn members(&self) -> Vec<Member> {
        let point = self.0.as_affine().to_sec1_point(false);
        // The encoding of a point is its first byte, then the two coordinates of 32 bytes.
        let coordinates = point.as_bytes().get(1..).unwrap_or_default();
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        vec![
            ("crv", "P-256".to_owned()),
            ("kty", "EC".to_owned()),
            ("x", URL_SAFE_NO_PAD.encode(x)),
            ("y", URL_SAFE_NO_PAD.encode(y)),
        ]
    }

    /// Encodes the key in the form of X.509, as PEM.
    pub(super) fn to_pem(&self) -> Result<String, Error> {
        let pem = self.0.to_public_key_pem(LineEnding::LF);
        pem.map_err(|_impossible| Error::Crypto)
    }
}
