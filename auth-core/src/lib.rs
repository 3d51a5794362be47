#![doc = include_str!("../README.md")]

#[cfg(feature = "actix")]
mod actix;
mod authenticate;
#[cfg(feature = "axum")]
mod axum;
pub mod bearer;
mod caller;
mod claims;
pub mod credentials;
mod error;
#[cfg(any(feature = "axum", feature = "tonic"))]
mod guard;
#[cfg(any(feature = "axum", feature = "tonic"))]
mod header_map;
mod hs256;
mod issuer;
mod json;
mod jws;
mod keyring;
#[cfg(feature = "password")]
pub mod password;
pub mod refresh;
mod refusal;
#[cfg(feature = "remote")]
pub mod remote;
pub mod revocation;
mod secret;
mod service_key;
pub mod session_handle;
pub mod session_token;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tonic")]
mod tonic;
mod verifier;

pub use authenticate::{Authenticate, Authority, LocalVerifier, Pending, Verification};
pub use caller::{Caller, MaybeCaller, Owner, RequireCaller, require_owner};
pub use claims::{Claims, Subject};
pub use error::Error;
pub use issuer::{AccessToken, TokenIssuer};
pub use keyring::Keyring;
pub use refusal::Refusal;
pub use revocation::RevokedSessions;
pub use secret::Secret;
pub use verifier::TokenVerifier;

/// The longest token that is looked at, in bytes (8192). A longer one is refused unread.
pub const MAX_TOKEN_BYTES: usize = 8192;

/// The `typ` header of an access token (RFC 9068 § 2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";
