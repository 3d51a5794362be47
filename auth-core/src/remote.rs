//! Sends requests to an authorisation server over HTTP. Requires the feature `remote`.
//!
//! [`RevocationFeed`] polls the server's list of revoked sessions, for services that verify tokens themselves.
//! [`RemoteVerifier`] asks the server to identify each caller, for services that must not know the secret.
//! `RemoteKeySet` (feature `public-key`) requests the public keys of an issuer, for services that verify its tokens
//! without a secret.

mod backoff;
mod client;
mod concurrency_limit;
mod feed;
mod forward;
#[cfg(feature = "public-key")]
mod key_set;
mod session_response;
mod verifier;

pub use crate::revocation::StalePolicy;
pub use feed::{Clock, RevocationFeed};
#[cfg(feature = "public-key")]
pub use key_set::RemoteKeySet;
pub use verifier::RemoteVerifier;
