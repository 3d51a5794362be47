//! The HTTP settings that handlers share: cookies, origins, trusted proxies, the body timeout.

use std::time::Duration;

use ipnet::IpNet;

use super::cookies::Cookies;
use super::forwarded::ProxyWarning;
use crate::clock::Clock;
use crate::origin::Origin;

pub(crate) struct HttpPolicy {
    pub(crate) cookies: Cookies,
    /// The server's own origin and those in `ALLOWED_ORIGINS`.
    pub(crate) trusted_origins: Vec<Origin>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) proxy_warning: ProxyWarning,
    /// The longest time for a request body to arrive.
    pub(crate) body_timeout: Duration,
    pub(crate) clock: Clock,
}
