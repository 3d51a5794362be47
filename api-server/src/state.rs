//! What handlers share.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, SystemTime};

use auth_core::{TokenIssuer, TokenVerifier};

use crate::accounts::hasher::Hasher;
use crate::accounts::throttle::Throttle;
use crate::db::Db;

/// Where the time comes from; tests bring their own.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Bounds that are not settings; tests make them small.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// How long a request body may take to arrive. Defaults to 10 seconds.
    pub body_timeout: Duration,
    /// How long requests in flight may take after the signal to stop. Defaults to 10 seconds.
    pub drain_timeout: Duration,
    /// How many threads serve. Defaults to one per core.
    pub workers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(10),
            workers: available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }
}

pub(crate) struct State {
    pub(crate) db: Db,
    pub(crate) hasher: Hasher,
    pub(crate) throttle: Throttle,
    pub(crate) issuer: TokenIssuer,
    pub(crate) verifier: TokenVerifier,
    pub(crate) session_ttl: Duration,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
}

impl State {
    pub(crate) fn now(&self) -> SystemTime {
        (self.clock)()
    }
}
