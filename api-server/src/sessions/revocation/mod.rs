//! Distributes revocations to all processes. A revocation records an ended session, or that older tokens of a user are
//! stale.
//!
//! Revocations have numbers, which become visible in ascending order. Every process remembers the last number that it
//! has read, and reads the newer revocations twice a second. On PostgreSQL, revocations are committed without a number,
//! so that the transactions that end sessions do not wait for each other; the next process that reads gives them their
//! numbers. The cost of these reads does not depend on the number of sessions. The check of an access token uses only
//! the revocations in memory.

mod feed;
pub(crate) mod page;
pub(crate) mod store;

pub(crate) use feed::{READ_INTERVAL, RevocationFeed};

use std::time::{Duration, SystemTime};

/// The largest tolerated difference between the clocks of two processes.
const MAX_CLOCK_SKEW: Duration = Duration::from_secs(10 * 60);

/// Returns the time until which the revocation of a session that ends at `now` must be kept. Afterwards all access
/// tokens of the session have expired, even by a slow clock of another process.
pub(crate) fn forget_after(now: SystemTime, access_token_ttl: Duration) -> SystemTime {
    now + access_token_ttl + MAX_CLOCK_SKEW
}
