//! Distributes revocations from the process that ends a session to all other processes.
//!
//! The database numbers revocations in the order of their commits. Every process remembers the last number that it has
//! read, and twice a second reads the newer ones; the cost does not depend on the number of sessions. A request looks
//! up its session in memory only.

mod feed;
pub(crate) mod store;

pub(crate) use feed::{Feed, INTERVAL};

use std::time::{Duration, SystemTime};

/// The largest difference between the clocks of two processes that is tolerated.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(10 * 60);

/// Returns the time when every access token of a session that ends `now` has expired by every clock.
pub(crate) fn forget_after(now: SystemTime, access_token_ttl: Duration) -> SystemTime {
    now + access_token_ttl + MAX_CLOCK_SKEW
}
