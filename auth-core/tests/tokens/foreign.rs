//! Tokens as a foreign library makes them: RFC 4648 and RFC 7515 by hand, the MAC from crates that the library under
//! test does not use for tokens.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// RFC 4648 § 5 without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| usize::from(group.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..=group.len() {
            let index = bits >> (18 - 6 * digit) & 0b11_1111;
            text.push(char::from(*ALPHABET.get(index).unwrap()));
        }
    }
    text
}

/// RFC 7515 § 5.1: the MAC over the text as it stands.
pub(crate) fn mac(message: &str, secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    base64url(&mac.finalize().into_bytes())
}

/// Signs two parts that are encoded already, well or badly.
pub(crate) fn sign_parts(header: &str, payload: &str, secret: &str) -> String {
    let message = format!("{header}.{payload}");
    format!("{message}.{}", mac(&message, secret))
}

/// A compact JWS of these bytes.
pub(crate) fn sign(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>, secret: &str) -> String {
    sign_parts(
        &base64url(header.as_ref()),
        &base64url(payload.as_ref()),
        secret,
    )
}
