//! What asks the server over the network: feature `remote`.

mod client;
mod feed;
mod forward;
mod lines;
mod schedule;
mod verifier;

pub(crate) use feed::Freshness;
pub use feed::{Clock, RevocationFeed, WhenSilent};
pub use verifier::RemoteVerifier;
