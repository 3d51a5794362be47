//! What sessions do across addresses and processes: revocation, expiry, limits, and what the server deletes by itself.

#![expect(clippy::string_slice, reason = "the sliced text is ASCII")]

mod clock_skew;
mod concurrent_commits;
mod database_down;
pub(crate) mod fixtures;
mod housekeeping;
mod lifetime;
mod limit;
mod races;
mod remote_verifier;
mod replacement;
mod revocation;
mod revocation_feed;
mod revocation_races;
