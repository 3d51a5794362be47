//! Defines codes, which a person reads in a mail and types.

use std::fmt;

use super::MailPurpose;
use crate::Error;

/// The symbols for the values 0 to 31.
const SYMBOLS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
const CODE_CHARS: usize = 8;
const BITS_PER_SYMBOL: usize = 5;
/// The length of the bits of a code, in bytes: 8 times 5 bits.
const CODE_BYTES: usize = 5;
const MALFORMED: Error =
    Error::MalformedToken("A code has 8 letters and digits, without 0, 1, I and O");

/// The request that a code confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "callers construct it; a new field is a breaking change"
)]
pub struct Challenge<'a> {
    /// The id of the request, which must be unique. A client may know it.
    pub id: &'a str,
    /// The action that the code permits.
    pub purpose: MailPurpose,
    /// The id of the user to whom the code was sent.
    pub user_id: &'a str,
    /// The first second in which the code is no longer accepted: seconds since 1970-01-01T00:00:00Z. The code does not
    /// depend on the expiry: take the expiry from your own storage, never from the request.
    pub expires_at: u64,
}

/// The code of a challenge: 8 symbols of `23456789ABCDEFGHJKLMNPQRSTUVWXYZ`, 40 bits.
#[derive(Clone)]
pub struct MailCode(String);

impl MailCode {
    /// Encodes the first 40 bits of a MAC.
    pub(super) fn from_tag(tag: [u8; 32]) -> Self {
        let code_bytes = tag.iter().take(CODE_BYTES);
        let bits = code_bytes.fold(0_u64, |bits, byte| bits << u8::BITS | u64::from(*byte));
        let symbols = (0..CODE_CHARS).rev().filter_map(|position| {
            let [.., low_byte] = (bits >> (BITS_PER_SYMBOL * position)).to_be_bytes();
            SYMBOLS.get(usize::from(low_byte & 0b1_1111))
        });
        Self(symbols.copied().map(char::from).collect())
    }

    /// Returns the code. The code is a credential: do not log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Redacts the code.
impl fmt::Debug for MailCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailCode([redacted])")
    }
}

/// Decodes a code, as a person typed it, into its 40 bits.
///
/// # Errors
///
/// [`Error::MalformedToken`] unless `entered` has exactly 8 symbols, in upper or lower case, and otherwise only ASCII
/// spaces and hyphens.
pub(super) fn decode(entered: &str) -> Result<[u8; CODE_BYTES], Error> {
    let (mut bits, mut count) = (0_u64, 0);
    for byte in entered.bytes().filter(|byte| !b" -".contains(byte)) {
        let capital = byte.to_ascii_uppercase();
        let value = (0_u64..)
            .zip(SYMBOLS)
            .find(|(_, symbol)| **symbol == capital);
        let (value, _) = value.ok_or(MALFORMED)?;
        bits = bits << BITS_PER_SYMBOL | value;
        count += 1;
        if count > CODE_CHARS {
            return Err(MALFORMED);
        }
    }
    if count < CODE_CHARS {
        return Err(MALFORMED);
    }
    let [_, _, _, code @ ..] = bits.to_be_bytes();
    Ok(code)
}
