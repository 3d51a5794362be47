//! Decodes PEM (RFC 7468) with an error message for each of the usual mistakes.

use p256::pkcs8::der::pem;
use zeroize::Zeroizing;

use crate::Error;

/// The text before a label, in the first line of a block.
const BEGIN: &str = "-----BEGIN ";
/// The text after a label.
const LABEL_END: &str = "-----";

const NO_PEM: Error = Error::InvalidKey(
    "the key is not PEM: it must begin with a line -----BEGIN …----- and contain nothing else",
);
const MALFORMED: Error = Error::InvalidKey(
    "the PEM is malformed: the key must be base64 in lines of 64 characters, with nothing after the END line",
);
const SEVERAL_BLOCKS: Error =
    Error::InvalidKey("the PEM contains more than one block; put each key into a file of its own");
const ENCRYPTED: Error = Error::InvalidKey(
    "the private key is encrypted; decrypt it with: openssl pkcs8 -in FILE -out NEW_FILE",
);
const NOT_PKCS8: Error = Error::InvalidKey(
    "the private key is not PKCS#8; convert it with: openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW_FILE",
);
const PUBLIC_ONLY: Error = Error::InvalidKey(
    "the PEM contains only a public key, which cannot sign; use the file with -----BEGIN PRIVATE KEY-----",
);
const IS_PRIVATE_KEY: Error = Error::InvalidKey(
    "the PEM contains a private key; extract the public key with: openssl pkey -pubout -in FILE -out NEW_FILE",
);
const IS_CERTIFICATE: Error = Error::InvalidKey(
    "the PEM contains a certificate; extract the public key with: openssl x509 -pubkey -noout -in FILE",
);
const NOT_SPKI: Error = Error::InvalidKey(
    "the PEM is not in the form of X.509; convert it with: openssl rsa -RSAPublicKey_in -pubout -in FILE",
);
const UNKNOWN_LABEL: Error =
    Error::InvalidKey("the PEM must be a PUBLIC KEY or a PRIVATE KEY; it has another label");

/// Decodes the one block in `text`, which must have the label `PRIVATE KEY` (PKCS#8, RFC 5958).
///
/// # Errors
///
/// [`Error::InvalidKey`], which says what `text` contains instead.
pub(super) fn decode_private(text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    decode(text, |label| match label {
        "PRIVATE KEY" => Ok(()),
        "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => Err(PUBLIC_ONLY),
        "ENCRYPTED PRIVATE KEY" => Err(ENCRYPTED),
        "EC PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PARAMETERS" => Err(NOT_PKCS8),
        _ => Err(UNKNOWN_LABEL),
    })
}

/// Decodes the one block in `text`, which must have the label `PUBLIC KEY` (RFC 7468 § 13).
///
/// # Errors
///
/// The errors of [`decode_private`].
pub(super) fn decode_public(text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    decode(text, |label| match label {
        "PUBLIC KEY" => Ok(()),
        "CERTIFICATE" => Err(IS_CERTIFICATE),
        "RSA PUBLIC KEY" => Err(NOT_SPKI),
        _ if label.ends_with("PRIVATE KEY") => Err(IS_PRIVATE_KEY),
        _ => Err(UNKNOWN_LABEL),
    })
}

/// Decodes the one block in `text`. White space around the block is accepted, other text is not.
fn decode(
    text: &str,
    check_label: impl FnOnce(&str) -> Result<(), Error>,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let text = text.trim_ascii();
    let label = text
        .strip_prefix(BEGIN)
        .and_then(|rest| rest.split_once(LABEL_END));
    let (label, _) = label.ok_or(NO_PEM)?;
    check_label(label)?;
    if text.matches(BEGIN).count() > 1 {
        return Err(SEVERAL_BLOCKS);
    }
    let (_, bytes) = pem::decode_vec(text.as_bytes()).map_err(|_malformed| MALFORMED)?;
    Ok(Zeroizing::new(bytes))
}
