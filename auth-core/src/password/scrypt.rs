//! The scrypt hashes of Better Auth: `<salt>:<key>`, lower-case hex of 16 and 64 bytes; N = 16384, r = 16, p = 1. The salt
//! is its hex text itself, the password is in NFKC. Checked alone, never made.

use scrypt::{Params, scrypt};
use zeroize::Zeroizing;

use crate::Error;

const SALT_DIGITS: usize = 32;
const KEY_BYTES: usize = 64;
const LOG_N: u8 = 14;
const R: u32 = 16;
const P: u32 = 1;

/// Whether it has the one length and alphabet there is; what it costs to check is the same for all.
pub(super) fn is_well_formed(text: &str) -> bool {
    let is_hex = |text: &str| {
        text.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    text.split_once(':').is_some_and(|(salt, key)| {
        salt.len() == SALT_DIGITS && key.len() == 2 * KEY_BYTES && is_hex(salt) && is_hex(key)
    })
}

pub(super) fn verify(password: &[u8], stored: &str) -> Result<bool, Error> {
    let (salt, key) = stored.split_once(':').ok_or(Error::InvalidPasswordHash)?;
    let params = Params::new(LOG_N, R, P).map_err(|_out_of_range| Error::Crypto)?;
    let mut derived = Zeroizing::new([0; KEY_BYTES]);
    scrypt(password, salt.as_bytes(), &params, derived.as_mut_slice())
        .map_err(|_length| Error::Crypto)?;
    let stored = (0..key.len()).step_by(2).map(|at| {
        let digits = key.get(at..at + 2).unwrap_or_default();
        u8::from_str_radix(digits, 16).unwrap_or_default()
    });
    let same = derived.iter().zip(stored);
    // Every byte is looked at.
    Ok(same.fold(0, |different, (a, b)| different | (a ^ b)) == 0)
}
