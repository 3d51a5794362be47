//! What handlers share.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use auth_core::RevokedSessions;
use ipnet::IpNet;

use crate::accounts::hasher::Hasher;
use crate::accounts::password_policy::PasswordPolicy;
use crate::accounts::throttle::Throttle;
use crate::config::Origin;
use crate::cores::cores;
use crate::db::{Db, Timestamp};
use crate::http::cookies::Cookies;
use crate::http::forwarded::ProxyNotice;
use crate::http::page_memory::PageMemory;
use crate::keys::Keys;
use crate::sessions::revocation::{self, Feed};
use crate::sessions::session::Lifetimes;
use crate::tasks::quota::TaskQuota;

/// Where the time comes from; tests bring their own.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Bounds that are not settings; tests make them small.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// How long a request body may take to arrive. Defaults to 10 seconds.
    pub body_timeout: Duration,
    /// How long the header of a request may take to arrive. Defaults to 10 seconds.
    pub header_timeout: Duration,
    /// How long a connection may be idle. Defaults to 75 seconds.
    pub idle_timeout: Duration,
    /// How long a caller may take nothing of its response. Defaults to 30 seconds.
    pub response_timeout: Duration,
    /// Whether peers on this machine count as networks, each by its address. Defaults to false.
    pub loopback_counts: bool,
    /// How long a page of tasks is searched for before it ends as it is. Defaults to 2 seconds.
    pub list_timeout: Duration,
    /// How long requests in flight may take after the signal to stop. Defaults to 10 seconds.
    pub drain_timeout: Duration,
    /// How many threads serve. Defaults to one per core.
    pub workers: usize,
}

/// Idle connections are kept this long.
pub const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// A caller that sends no complete header within this time is dropped.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_timeout: Duration::from_secs(10),
            header_timeout: HEADER_TIMEOUT,
            idle_timeout: KEEP_ALIVE,
            response_timeout: Duration::from_secs(30),
            loopback_counts: false,
            list_timeout: Duration::from_secs(2),
            drain_timeout: Duration::from_secs(10),
            workers: cores(),
        }
    }
}

pub(crate) struct State {
    pub(crate) db: Db,
    pub(crate) hasher: Hasher,
    pub(crate) password_policy: PasswordPolicy,
    pub(crate) throttle: Throttle,
    pub(crate) keys: Keys,
    pub(crate) revoked: RevokedSessions,
    pub(crate) feed: Feed,
    pub(crate) cookies: Cookies,
    /// Our own origin and the allowed ones.
    pub(crate) origins: Vec<Origin>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) proxy_notice: ProxyNotice,
    /// Whether clients of Better Auth may delete their account.
    pub(crate) delete_user: bool,
    pub(crate) access_token_ttl: Duration,
    /// From the last use; not above `session_max_ttl`.
    pub(crate) session_ttl: Duration,
    /// From the login.
    pub(crate) session_max_ttl: Option<Duration>,
    pub(crate) task_quota: TaskQuota,
    pub(crate) page_memory: PageMemory,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
}

impl State {
    pub(crate) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    pub(crate) fn lifetimes(&self) -> Lifetimes {
        Lifetimes {
            sliding: self.session_ttl,
            absolute: self.session_max_ttl,
        }
    }

    /// When every access token of a session that ends `now` has expired.
    pub(crate) fn forget_after(&self, now: SystemTime) -> Timestamp {
        revocation::forget_after(now, self.access_token_ttl).into()
    }

    /// This process need not wait for its own news.
    pub(crate) fn revoke_here(&self, session_ids: &[String], now: SystemTime) {
        let until = revocation::forget_after(now, self.access_token_ttl);
        for session_id in session_ids {
            self.revoked.insert(session_id, until);
        }
    }
}
