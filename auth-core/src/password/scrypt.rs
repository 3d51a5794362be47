//! Verifies the scrypt hashes of Better Auth (RFC 7914). New hashes are bcrypt.
//!
//! Format: `<salt>:<key>`, the lower-case hex of 16 and of 64 bytes; N = 16384, r = 16, p = 1. The salt that scrypt
//! receives is the hex text itself; the password is in NFKC.

use base16ct::lower;
use scrypt::{Params, scrypt};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::Error;

const SALT_BYTES: usize = 16;
const KEY_BYTES: usize = 64;
const LOG_N: u8 = 14;
const R: u32 = 16;
const P: u32 = 1;

/// Returns whether `text` has the format of Better Auth's hashes. Every such hash takes the same time to verify.
pub(super) fn is_well_formed(text: &str) -> bool {
    text.split_once(':').is_some_and(|(salt, key)| {
        decode_hex::<SALT_BYTES>(salt).is_ok() && decode_hex::<KEY_BYTES>(key).is_ok()
    })
}

/// Verifies a password, which must be normalised to NFKC. A wrong password takes as long as the correct one.
///
/// # Errors
///
/// [`Error::InvalidPasswordHash`] unless `hash` has a colon, and after the colon the lower-case hex of 64 bytes.
pub(super) fn verify(password: &[u8], hash: &str) -> Result<bool, Error> {
    let (salt, hex_key) = hash.split_once(':').ok_or(Error::InvalidPasswordHash)?;
    let expected_key = decode_hex::<KEY_BYTES>(hex_key)?;
    let params = Params::new(LOG_N, R, P).map_err(|_out_of_range| Error::Crypto)?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    scrypt(password, salt.as_bytes(), &params, key.as_mut_slice())
        .map_err(|_length| Error::Crypto)?;
    Ok(key.as_slice().ct_eq(&expected_key).into())
}

/// Decodes the lower-case hex of exactly `N` bytes.
fn decode_hex<const N: usize>(hex: &str) -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    match lower::decode(hex, &mut bytes) {
        Ok(decoded) if decoded.len() == N => Ok(bytes),
        _ => Err(Error::InvalidPasswordHash),
    }
}
