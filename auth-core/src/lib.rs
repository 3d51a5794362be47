#![doc = include_str!("../README.md")]

#[cfg(feature = "actix")]
mod actix;
mod authority;
#[cfg(feature = "axum")]
mod axum;
pub mod bearer;
mod caller;
mod claims;
pub mod credentials;
mod error;
#[cfg(feature = "tower")]
mod header_map;
mod hs256;
mod issuer;
mod issuers;
mod json;
mod jws;
mod keyring;
#[cfg(feature = "tower")]
mod layer;
mod local_verifier;
pub mod mail_token;
#[cfg(feature = "password")]
pub mod password;
#[cfg(feature = "public-key")]
pub mod public_key;
mod random;
pub mod refresh;
mod refusal;
#[cfg(feature = "remote")]
pub mod remote;
mod require_caller;
mod requirement;
pub mod revocation;
mod secret;
mod service_key;
pub mod session_handle;
pub mod session_token;
#[cfg(feature = "testing")]
pub mod testing;
mod token_signer;
mod token_type;
#[cfg(feature = "tonic")]
mod tonic;
mod trace;
mod verification;
mod verification_keys;
mod verifier;

pub use authority::{Authenticate, Authority};
pub use caller::{Caller, CustomClaims, MaybeCaller, Owner, require_owner};
pub use claims::{Claims, CustomClaimsJson, Roles, Scope, Subject};
pub use error::Error;
pub use issuer::{AccessToken, TokenBuilder, TokenIssuer};
pub use issuers::Issuers;
pub use keyring::Keyring;
#[cfg(feature = "tower")]
pub use layer::WithBody;
pub use local_verifier::LocalVerifier;
pub use refusal::Refusal;
pub use require_caller::RequireCaller;
pub use requirement::{RequireRole, RequireScope};
pub use revocation::Revocations;
pub use secret::Secret;
pub use token_signer::TokenSigner;
pub use token_type::TokenType;
pub use verification::{PendingVerification, Verification};
pub use verification_keys::VerificationKeys;
pub use verifier::TokenVerifier;

/// The longest access token, in bytes: 8192. A verifier rejects a longer token without parsing.
pub const MAX_TOKEN_BYTES: usize = 8192;

/// The `typ` header parameter of an access token (RFC 9068 § 2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";
