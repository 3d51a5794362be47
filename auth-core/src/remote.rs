//! What asks the server over the network: feature `remote`.

mod client;
mod feed;
mod schedule;

pub(crate) use feed::Freshness;
pub use feed::{Clock, RevocationFeed, WhenSilent};
