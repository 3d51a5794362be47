//! Sends requests to an authorisation server over HTTP. Requires the feature `remote`.
//!
//! [`RevocationFeed`] polls the server's list of revoked sessions, for services that verify tokens themselves.
//! [`RemoteVerifier`] asks the server to identify each caller, for services that must not know the secret.

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
