//! Feature `remote`: asks an authorisation server over HTTP.
//!
//! [`RevocationFeed`] follows its list of revoked sessions, for services that verify tokens themselves. [`RemoteVerifier`]
//! asks it about each caller, for services that must not hold the secret.

mod backoff;
mod client;
mod concurrency_limit;
mod feed;
mod forward;
mod session_response;
mod verifier;

pub use crate::revocation::StalePolicy;
pub use feed::{Clock, RevocationFeed};
pub use verifier::RemoteVerifier;
