//! Contains the HTTP settings that handlers share: cookies, origins, trusted proxies and the body timeout.

use std::time::Duration;

use ipnet::IpNet;

use super::cookies::CookieFormat;
use super::forwarded::ProxyWarning;
use crate::clock::Clock;
use crate::origin::Origin;

pub(crate) struct HttpPolicy {
    pub(crate) cookie_format: CookieFormat,
    /// The origin of this server, and the origins in `ALLOWED_ORIGINS`.
    pub(crate) trusted_origins: Vec<Origin>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) proxy_warning: ProxyWarning,
    /// The time within which a request body must arrive.
    pub(crate) body_timeout: Duration,
    pub(crate) clock: Clock,
}
