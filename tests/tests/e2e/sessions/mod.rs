//! What sessions do across addresses and processes: revocation, expiry, limits, and what the server deletes by itself.

mod clock_skew;
mod database_down;
mod ending;
pub(crate) mod fixtures;
mod housekeeping;
mod lifetime;
mod races;
mod revocation;
