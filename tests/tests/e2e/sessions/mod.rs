//! Tests the revocation, the expiry, the number and the deletion of sessions across endpoints and processes.

mod clock_skew;
mod database_down;
mod ending;
pub(crate) mod fixtures;
mod grant;
mod housekeeping;
mod lifetime;
mod list;
mod races;
mod revocation;
mod token_keys;
