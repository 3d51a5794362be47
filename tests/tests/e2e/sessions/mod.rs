//! Tests sessions across endpoints and processes: their revocation, their expiry, their number, and their deletion.

mod clock_skew;
mod database_down;
mod ending;
pub(crate) mod fixtures;
mod housekeeping;
mod lifetime;
mod list;
mod races;
mod revocation;
