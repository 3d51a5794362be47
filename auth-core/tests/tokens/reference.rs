//! Signs tokens without auth-core: an implementation of base64url (RFC 4648) and of JWS with HS256 (RFC 7515).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Encodes as base64url without padding (RFC 4648 § 5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte_at =
            |position: usize| usize::from(group.get(position).copied().unwrap_or_default());
        let bits = byte_at(0) << 16 | byte_at(1) << 8 | byte_at(2);
        for digit in 0..=group.len() {
            let index = bits >> (18 - 6 * digit) & 0b11_1111;
            text.push(char::from(*ALPHABET.get(index).unwrap()));
        }
    }
    text
}

/// Computes the HMAC-SHA-256 of a text, in base64url (RFC 7515 § 5.1).
pub(crate) fn mac(message: &str, secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    base64url(&mac.finalize().into_bytes())
}

/// Signs two encoded parts, whether or not their encoding is valid.
pub(crate) fn sign_parts(header: &str, payload: &str, secret: &str) -> String {
    let message = format!("{header}.{payload}");
    format!("{message}.{}", mac(&message, secret))
}

/// Signs a header and a payload as a compact JWS (RFC 7515 § 7.1).
pub(crate) fn sign(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>, secret: &str) -> String {
    sign_parts(
        &base64url(header.as_ref()),
        &base64url(payload.as_ref()),
        secret,
    )
}
