//! Splits a compact JWS (RFC 7515) into header, payload and signature, and verifies header and signature, but no
//! claims.

mod header;
#[cfg(test)]
mod vectors;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::keyring::Key;
#[cfg(feature = "public-key")]
use crate::public_key::PublicKey;
use crate::{Error, Keyring, MAX_TOKEN_BYTES};
pub(crate) use header::{JoseHeader, TYPE_NOT_ACCEPTED};

/// The size of the stack buffers, in bytes. A part of a token that may be longer after decoding is decoded on the heap.
/// Most payloads of access tokens fit: with UUIDs as ids, a payload has about 230 bytes if the email address is short,
/// and about 470 if the email address has 254 bytes.
const STACK_BYTES: usize = 512;

/// A compact JWS that is split but not verified.
#[derive(Clone, Copy)]
pub(crate) struct Jws<'t> {
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
    /// Header, dot and payload: the signed text (RFC 7515 § 5.1).
    message: &'t str,
}

impl<'t> Jws<'t> {
    /// Splits a token into its three parts (RFC 7515 § 5.2 step 1).
    ///
    /// # Errors
    ///
    /// [`Error::TokenTooLong`] above 8192 bytes; [`Error::MalformedToken`] unless there are three non-empty parts.
    pub(crate) fn split(token: &'t str) -> Result<Self, Error> {
        const NOT_THREE_PARTS: Error = Error::MalformedToken("A token has exactly three parts");
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::TokenTooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(NOT_THREE_PARTS)?;
        let (header, payload) = message.split_once('.').ok_or(NOT_THREE_PARTS)?;
        let parts = [header, payload, signature];
        if payload.contains('.') || parts.iter().any(|part| part.is_empty()) {
            return Err(NOT_THREE_PARTS);
        }
        Ok(Self {
            header,
            payload,
            signature,
            message,
        })
    }

    /// Verifies the header and the MAC. `expected_type` is the required `typ`; `None` accepts any type.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedToken`], [`Error::UnacceptableHeader`] or [`Error::SignatureMismatch`].
    pub(crate) fn verify(
        &self,
        keyring: &Keyring,
        expected_type: Option<&str>,
    ) -> Result<(), Error> {
        self.with_header(|header| {
            header.require_hs256()?;
            if expected_type.is_some_and(|expected| !header.has_type(expected)) {
                return Err(TYPE_NOT_ACCEPTED);
            }
            self.verify_mac(keyring, header.key_id())
        })
    }

    /// Verifies the MAC of an access token whose header is the one that this crate writes for a key of `keyring`.
    /// Returns `None` for any other header.
    ///
    /// This crate writes the same header into all access tokens of a key, so such a header needs no parsing.
    pub(crate) fn verify_with_issued_header(&self, keyring: &Keyring) -> Option<Result<(), Error>> {
        let has_header = |key: &&Key| key.encoded_header == self.header;
        let key = keyring.keys().find(has_header)?;
        let result = key.verifies(self.message, self.signature);
        Some(result.and_then(|matches| matches.then_some(()).ok_or(Error::SignatureMismatch)))
    }

    /// Passes the parsed header to `check`.
    pub(crate) fn with_header<T>(
        &self,
        check: impl FnOnce(&JoseHeader<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut buffer = [0; STACK_BYTES];
        let mut heap = Vec::new();
        check(&JoseHeader::parse(decode(
            self.header,
            &mut buffer,
            &mut heap,
        )?)?)
    }

    /// Verifies the MAC with each key until one matches, first with the key that `kid` names.
    pub(crate) fn verify_mac(&self, keyring: &Keyring, kid: Option<&str>) -> Result<(), Error> {
        for key in keyring.keys_by_hint(kid) {
            if key.verifies(self.message, self.signature)? {
                return Ok(());
            }
        }
        Err(Error::SignatureMismatch)
    }

    /// Verifies the signature with this key and no other.
    #[cfg(feature = "public-key")]
    pub(crate) fn verify_signature(&self, key: &PublicKey) -> Result<(), Error> {
        let matches = key.verifies(self.message, self.signature)?;
        matches.then_some(()).ok_or(Error::SignatureMismatch)
    }

    /// Passes the decoded payload to `parse`. Verifies nothing: before the signature is verified, use the payload only
    /// to choose the verifier or the key.
    pub(crate) fn with_payload<T>(
        &self,
        parse: impl FnOnce(&str) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut buffer = [0; STACK_BYTES];
        let mut heap = Vec::new();
        parse(decode(self.payload, &mut buffer, &mut heap)?)
    }
}

/// Appends the encoded payload to an encoded header. The result is the text to sign (RFC 7515 § 5.1).
pub(crate) fn append_payload(mut encoded_header: String, payload: &[u8]) -> String {
    encoded_header.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut encoded_header);
    encoded_header
}

/// Appends the encoded signature to the text that was signed. The result is a compact JWS (RFC 7515 § 7.1).
pub(crate) fn append_signature(mut message: String, signature: &[u8]) -> String {
    message.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut message);
    message
}

/// Decodes base64url to UTF-8 text (RFC 8725 § 3.7). Padding, white space and non-zero trailing bits are errors (RFC
/// 7515 § 2). A part that may not fit into `stack` is decoded into `heap`.
fn decode<'b>(
    part: &str,
    stack: &'b mut [u8; STACK_BYTES],
    heap: &'b mut Vec<u8>,
) -> Result<&'b str, Error> {
    const NOT_BASE64URL: Error = Error::MalformedToken("A part of the token is not base64url");
    let bytes: &[u8] = if base64::decoded_len_estimate(part.len()) <= STACK_BYTES {
        let length = URL_SAFE_NO_PAD
            .decode_slice(part, stack)
            .map_err(|_not_base64url| NOT_BASE64URL)?;
        stack.get(..length).unwrap_or_default()
    } else {
        URL_SAFE_NO_PAD
            .decode_vec(part, heap)
            .map_err(|_not_base64url| NOT_BASE64URL)?;
        heap
    };
    std::str::from_utf8(bytes)
        .map_err(|_not_utf8| Error::MalformedToken("A part of the token is not UTF-8"))
}
