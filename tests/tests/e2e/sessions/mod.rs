//! Sessions across endpoints and processes: revocation, expiry, limits, and deletion by the server.

mod clock_skew;
mod database_down;
mod ending;
pub(crate) mod fixtures;
mod housekeeping;
mod lifetime;
mod list;
mod races;
mod revocation;
