#![doc = include_str!("../README.md")]

pub mod bearer;
mod claims;
mod error;
mod hs256;
mod issuer;
mod json;
mod jws;
mod keyring;
#[cfg(feature = "password")]
pub mod password;
pub mod refresh;
#[cfg(feature = "remote")]
pub mod remote;
pub mod revocation;
mod secret;
mod verifier;

pub use claims::{Claims, Subject};
pub use error::Error;
pub use issuer::{AccessToken, TokenIssuer};
pub use keyring::Keyring;
pub use revocation::RevokedSessions;
pub use secret::Secret;
pub use verifier::TokenVerifier;

/// The longest token that is looked at, in bytes (8192). A longer one is refused unread.
pub const MAX_TOKEN_BYTES: usize = 8192;

/// The `typ` header of an access token (RFC 9068 § 2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";
