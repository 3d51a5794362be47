//! Ended sessions, from the process that ends one to all others.
//!
//! The database numbers them in the order of their commits; every process remembers the last number it has seen and
//! asks for what is newer, twice a second, whatever the number of sessions. Requests only look into memory.

mod feed;
pub(crate) mod store;

pub(crate) use feed::{Feed, INTERVAL};

use std::time::{Duration, SystemTime};

/// For how long clocks of processes may disagree.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(10 * 60);

/// When the last access token of a session that ends now has expired everywhere.
pub(crate) fn forget_after(now: SystemTime, access_token_ttl: Duration) -> SystemTime {
    now + access_token_ttl + MAX_CLOCK_SKEW
}
