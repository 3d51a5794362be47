//! RS256: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 § 3.3). Verifies tokens of other issuers. Never signs.

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::pkcs8::SubjectPublicKeyInfoRef;
use p256::pkcs8::der::asn1::{AnyRef, UintRef};
use p256::pkcs8::der::pem::{self, LineEnding};
use p256::pkcs8::der::{self, Decode as _, Reader as _, SliceReader};

use super::thumbprint::Member;
use crate::Error;

/// The smallest size of `n`, in bits (RFC 7518 § 3.3).
const MIN_MODULUS_BITS: usize = 2048;
/// The largest size of `n`, in bits, that `aws_lc_rs` supports.
const MAX_MODULUS_BITS: usize = 8192;
/// The largest size of `e`, in bits, that `aws_lc_rs` supports.
const MAX_EXPONENT_BITS: usize = 33;

const NOT_A_KEY: Error = Error::InvalidKey("the RSA key is malformed");
const WRONG_SIZE: Error = Error::InvalidKey("the RSA key does not have 2048 to 8192 bits");
const WRONG_EXPONENT: Error =
    Error::InvalidKey("`e` of the RSA key is not an odd number from 3 to 2^33");

/// A public RSA key.
pub(super) struct RsaKey {
    key: ParsedPublicKey,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl RsaKey {
    /// Creates a key from modulus and exponent, both big-endian.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] for a leading zero (RFC 7518 § 6.3.1, § 2), fewer than 2048 or more than 8192 bits, an
    /// even number, and an exponent of 1 or above 2^33.
    pub(super) fn new(modulus: Vec<u8>, exponent: Vec<u8>) -> Result<Self, Error> {
        if [&modulus, &exponent]
            .iter()
            .any(|number| number.first() == Some(&0))
        {
            return Err(Error::InvalidKey(
                "`n` or `e` of the RSA key has a leading zero",
            ));
        }
        if !(MIN_MODULUS_BITS..=MAX_MODULUS_BITS).contains(&bit_length(&modulus)) {
            return Err(WRONG_SIZE);
        }
        if !is_odd(&modulus) {
            return Err(NOT_A_KEY);
        }
        if !is_odd(&exponent) || exponent == [1] || bit_length(&exponent) > MAX_EXPONENT_BITS {
            return Err(WRONG_EXPONENT);
        }
        let components = RsaPublicKeyComponents {
            n: &modulus,
            e: &exponent,
        };
        let key = components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256);
        Ok(Self {
            key: key.map_err(|_rejected| NOT_A_KEY)?,
            modulus,
            exponent,
        })
    }

    /// Decodes a key in the form of X.509, which contains an `RSAPublicKey` (RFC 8017 appendix A.1.1).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidKey`] if the algorithm lacks the parameter NULL or the key is malformed, and as
    /// [`new`](Self::new).
    pub(super) fn from_spki(spki: &SubjectPublicKeyInfoRef<'_>) -> Result<Self, Error> {
        let has_null = spki.algorithm.parameters.is_some_and(AnyRef::is_null);
        if !has_null {
            return Err(NOT_A_KEY);
        }
        let bytes = spki.subject_public_key.as_bytes().ok_or(NOT_A_KEY)?;
        let (modulus, exponent) = decode_pkcs1(bytes).map_err(|_malformed| NOT_A_KEY)?;
        Self::new(modulus, exponent)
    }

    /// Returns whether `signature` is a signature of `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }

    /// Returns the required members of the JWK (RFC 7518 § 6.3.1) in the order of their names.
    pub(super) fn members(&self) -> Vec<Member> {
        vec![
            ("e", URL_SAFE_NO_PAD.encode(&self.exponent)),
            ("kty", "RSA".to_owned()),
            ("n", URL_SAFE_NO_PAD.encode(&self.modulus)),
        ]
    }

    /// Encodes the key in the form of X.509, as PEM.
    pub(super) fn to_pem(&self) -> Result<String, Error> {
        let der: PublicKeyX509Der<'_> = self.key.as_der().map_err(|_impossible| Error::Crypto)?;
        pem::encode_string("PUBLIC KEY", LineEnding::LF, der.as_ref())
            .map_err(|_impossible| Error::Crypto)
    }
}

/// Decodes an `RSAPublicKey`: a sequence of modulus and exponent.
fn decode_pkcs1(bytes: &[u8]) -> der::Result<(Vec<u8>, Vec<u8>)> {
    let mut reader = SliceReader::new(bytes)?;
    let numbers = reader.sequence(|reader| -> der::Result<_> {
        let modulus = UintRef::decode(reader)?;
        let exponent = UintRef::decode(reader)?;
        Ok((modulus.as_bytes().to_vec(), exponent.as_bytes().to_vec()))
    })?;
    reader.finish()?;
    Ok(numbers)
}

fn bit_length(number: &[u8]) -> usize {
    let leading_zeros = number.first().map_or(0, |byte| byte.leading_zeros());
    (number.len() * 8).saturating_sub(leading_zeros as usize)
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte % 2 == 1)
}
