//! What handlers share of HTTP: cookies, origins, trusted proxies, the time a body may take.

use std::time::Duration;

use ipnet::IpNet;

use super::cookies::Cookies;
use super::forwarded::ProxyNotice;
use crate::clock::Clock;
use crate::origin::Origin;

pub(crate) struct HttpPolicy {
    pub(crate) cookies: Cookies,
    /// Our own origin and the allowed ones.
    pub(crate) origins: Vec<Origin>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) proxy_notice: ProxyNotice,
    pub(crate) body_timeout: Duration,
    pub(crate) clock: Clock,
}
