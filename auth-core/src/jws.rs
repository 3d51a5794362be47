//! The JWS layer: three parts, a header, a MAC (RFC 7515). Knows nothing of claims.

mod header;
#[cfg(test)]
mod vectors;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::keyring::Key;
use crate::{ACCESS_TOKEN_TYPE, Error, Keyring, MAX_TOKEN_BYTES};
use header::JoseHeader;

/// Parts up to this many bytes are decoded without touching the heap; our own payloads have 200 to 460.
const STACK_BYTES: usize = 512;

/// A compact JWS, split but not yet believed.
#[derive(Clone, Copy)]
pub(crate) struct Jws<'t> {
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
    message: &'t str,
}

impl<'t> Jws<'t> {
    /// RFC 7515 § 5.2 step 1, with a bound on the length.
    pub(crate) fn split(token: &'t str) -> Result<Self, Error> {
        const THREE_PARTS: Error = Error::MalformedToken("A token has exactly three parts");
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::TokenTooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(THREE_PARTS)?;
        let (header, payload) = message.split_once('.').ok_or(THREE_PARTS)?;
        let parts = [header, payload, signature];
        if payload.contains('.') || parts.iter().any(|part| part.is_empty()) {
            return Err(THREE_PARTS);
        }
        Ok(Self {
            header,
            payload,
            signature,
            message,
        })
    }

    /// Checks the header and the MAC; `expected_type` is the `typ` the caller insists on.
    pub(crate) fn authenticate(
        &self,
        keyring: &Keyring,
        expected_type: Option<&str>,
    ) -> Result<(), Error> {
        // Such a header says that the type is that of access tokens, so it answers no other expectation.
        let expects_ours = expected_type == Some(ACCESS_TOKEN_TYPE);
        let ours = |key: &&Key| expects_ours && key.encoded_header == self.header;
        if let Some(key) = keyring.keys().find(ours) {
            let matches = key.verifies(self.message, self.signature)?;
            return matches.then_some(()).ok_or(Error::SignatureMismatch);
        }
        let mut buffer = [0; STACK_BYTES];
        let mut heap = Vec::new();
        let text = decode(self.header, &mut buffer, &mut heap)?;
        let header = JoseHeader::parse(text)?;
        if let Some(expected) = expected_type {
            header.require_type(expected)?;
        }
        self.require_mac(keyring, header.key_id())
    }

    fn require_mac(&self, keyring: &Keyring, kid: Option<&str>) -> Result<(), Error> {
        for key in keyring.keys_for(kid) {
            if key.verifies(self.message, self.signature)? {
                return Ok(());
            }
        }
        Err(Error::SignatureMismatch)
    }

    /// Hands the decoded payload to `read`. Call it after [`authenticate`](Self::authenticate) only.
    pub(crate) fn with_payload<T>(
        &self,
        read: impl FnOnce(&str) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut buffer = [0; STACK_BYTES];
        let mut heap = Vec::new();
        read(decode(self.payload, &mut buffer, &mut heap)?)
    }
}

/// Strict base64url (no padding, no white space, no spare bits: RFC 7515 § 2) of strict UTF-8 (RFC 8725 § 3.7).
fn decode<'b>(
    part: &str,
    stack: &'b mut [u8; STACK_BYTES],
    heap: &'b mut Vec<u8>,
) -> Result<&'b str, Error> {
    let bytes: &[u8] = if base64::decoded_len_estimate(part.len()) <= STACK_BYTES {
        let length = URL_SAFE_NO_PAD
            .decode_slice(part, stack)
            .map_err(|_not_base64| Error::MalformedToken("A part of the token is not base64url"))?;
        stack.get(..length).unwrap_or_default()
    } else {
        URL_SAFE_NO_PAD
            .decode_vec(part, heap)
            .map_err(|_not_base64| Error::MalformedToken("A part of the token is not base64url"))?;
        heap
    };
    std::str::from_utf8(bytes)
        .map_err(|_not_utf8| Error::MalformedToken("A part of the token is not UTF-8"))
}

/// `N` random bytes as base64url without padding.
pub(crate) fn random_text<const N: usize>() -> Result<String, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(|_no_entropy| Error::Crypto)?;
    Ok(URL_SAFE_NO_PAD.encode(*bytes))
}
