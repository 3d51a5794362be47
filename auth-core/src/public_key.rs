//! Public keys that verify tokens, and the private keys that sign them: EdDSA and ES256, and with the feature `rs256`
//! also RS256, to verify only. Requires the feature `public-key`.
//!
//! A [`PublicKey`] verifies and cannot sign, so it needs no secrecy. A [`KeySet`] has the public keys of one issuer;
//! [`KeySet::from_jwks`] reads the document that issuers publish (JWK Set, RFC 7517 § 5). Pass a set to
//! [`TokenVerifier::new`](crate::TokenVerifier::new). A [`SigningKey`] is the private key: pass it to
//! [`TokenIssuer::new`](crate::TokenIssuer::new).
//!
//! A key determines its algorithm, and the `alg` of a token must name that algorithm (RFC 8725 § 3.1). A token must
//! have a `kid` that is the id of a key of the set; no other key is tried. A set never contains a secret, and a
//! [`Keyring`](crate::Keyring) never contains a public key, so a public key cannot be used as an HMAC secret.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use auth_core::public_key::{Algorithm, KeySet, SigningKey};
//! use auth_core::{Subject, TokenIssuer, TokenVerifier};
//!
//! let signing_key = SigningKey::generate(Algorithm::EdDsa)?;
//! let published = KeySet::new([signing_key.public_key().clone()])?.to_jwks();
//! let issuer = TokenIssuer::new(signing_key, "https://auth.example.com", "api", Duration::from_secs(900))?;
//!
//! // Another service has only the published document.
//! let keys = KeySet::from_jwks(published.as_bytes())?;
//! let verifier = TokenVerifier::new(keys, "https://auth.example.com", "api")?;
//!
//! let now = SystemTime::now();
//! let subject = Subject {
//!     id: "42",
//!     email: "ada@example.com",
//!     email_verified: Some(true),
//!     session_id: "7",
//! };
//! assert_eq!(verifier.verify(&issuer.issue(&subject, now)?.token, now)?.sub, "42");
//! # Ok::<(), auth_core::Error>(())
//! ```

mod algorithm;
mod eddsa;
mod es256;
mod jwk;
mod jwk_set;
mod key;
mod key_set;
mod pem;
#[cfg(feature = "rs256")]
mod rs256;
mod signing_key;
mod thumbprint;
#[cfg(test)]
mod vectors;

pub use algorithm::Algorithm;
pub use jwk_set::{JwkSet, MAX_DOCUMENT_BYTES, MAX_KEYS, SkippedKey};
pub use key::PublicKey;
pub use key_set::KeySet;
pub use signing_key::SigningKey;
