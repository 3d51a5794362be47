//! Determines the IP address of a client behind proxies. Only headers from trusted proxies are used.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR};
use ipnet::IpNet;

/// The most hops (IP addresses in `X-Forwarded-For`) that are read, from the right. Real chains of proxies are shorter.
const MAX_HOPS: usize = 32;
/// The shortest time between two warnings about a misconfigured proxy.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

pub(crate) fn is_trusted_proxy(ip_address: IpAddr, proxies: &[IpNet]) -> bool {
    proxies.iter().any(|network| network.contains(&ip_address))
}

/// Returns the IP address of the client: the first of peer and hops that is not a trusted proxy, or else the last.
///
/// Reads `X-Forwarded-For` from the right, because each proxy appends the IP address of its peer. Stops at the first IP
/// address that is not a trusted proxy, because a client can invent all hops further left. If a hop is not an IP
/// address, the result is the proxy that sent the hop.
pub(crate) fn client_ip_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let values: Vec<_> = headers.get_all(X_FORWARDED_FOR).collect();
    let values_from_right = values.iter().rev().map(|value| value.as_bytes());
    let mut hops = values_from_right
        .flat_map(|value| value.rsplit(|byte| *byte == b','))
        .take(MAX_HOPS);
    let mut ip_address = peer;
    while is_trusted_proxy(ip_address, proxies)
        && let Some(hop) = hops.next().and_then(parse_hop)
    {
        ip_address = hop;
    }
    ip_address
}

/// Parses an IP address with or without a port. An IPv6 address may have brackets.
fn parse_hop(bytes: &[u8]) -> Option<IpAddr> {
    let hop = str::from_utf8(bytes.trim_ascii()).ok()?;
    let unbracketed = hop.strip_prefix('[').and_then(|end| end.strip_suffix(']'));
    let ip_without_port = match unbracketed {
        Some(ipv6_text) => ipv6_text.parse().ok().map(IpAddr::V6),
        None => hop.parse().ok(),
    };
    let ip_address = ip_without_port.or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()));
    ip_address.map(|ip_address| ip_address.to_canonical())
}

/// A warning in the log about a proxy that is missing from `TRUSTED_PROXIES` or does not send `X-Forwarded-For`. Limits
/// how often it is logged.
#[derive(Default)]
pub(crate) struct ProxyWarning {
    last_logged_at: Mutex<Option<SystemTime>>,
}

impl ProxyWarning {
    /// Logs the warning if the request has proxy headers of which none is used, and if the last warning was long enough
    /// ago.
    pub(crate) fn log_if_due(
        &self,
        peer: IpAddr,
        is_trusted_proxy: bool,
        headers: &HeaderMap,
        now: SystemTime,
    ) {
        let proxy_headers = [X_FORWARDED_FOR, FORWARDED, X_REAL_IP];
        let present_header = proxy_headers
            .iter()
            .find(|name| headers.contains_key(*name));
        let Some(header_name) = present_header else {
            return;
        };
        if is_trusted_proxy && *header_name == X_FORWARDED_FOR {
            return;
        }
        if self.start_interval_if_due(now) {
            log::warn!("{}", warning_text(peer, is_trusted_proxy, header_name));
        }
    }

    /// Returns whether [`WARNING_INTERVAL`] has passed since the last warning. If so, records `now` as the time of a
    /// new one.
    fn start_interval_if_due(&self, now: SystemTime) -> bool {
        let lock = self.last_logged_at.lock();
        let mut last_logged_at = lock.unwrap_or_else(PoisonError::into_inner);
        // The warning is also due if the clock was set back.
        let elapsed =
            last_logged_at.map(|time| now.duration_since(time).unwrap_or(WARNING_INTERVAL));
        let is_due = elapsed.is_none_or(|elapsed| elapsed >= WARNING_INTERVAL);
        if is_due {
            *last_logged_at = Some(now);
        }
        is_due
    }
}

fn warning_text(peer: IpAddr, is_trusted_proxy: bool, name: &HeaderName) -> String {
    if is_trusted_proxy {
        return format!(
            "the trusted proxy {peer} sends {name} but not X-Forwarded-For, the only header that is read, so all its \
             visitors count as one network; configure it to send X-Forwarded-For"
        );
    }
    let effect = if peer.is_loopback() {
        "have no limit per network"
    } else {
        "count as one network"
    };
    format!(
        "{name} came from {peer}, which is not a trusted proxy, and was ignored; if {peer} is your proxy, all its \
         visitors {effect}: set TRUSTED_PROXIES={peer}"
    )
}

#[cfg(test)]
mod tests {
    use super::{ProxyWarning, WARNING_INTERVAL, client_ip_address, parse_hop, warning_text};
    use actix_web::http::header::{HeaderMap, HeaderValue, X_FORWARDED_FOR};
    use ipnet::IpNet;
    use std::net::IpAddr;
    use std::time::{Duration, SystemTime};

    fn forwarded_headers(values: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    /// Returns the IP address of a client whose request has these values of `X-Forwarded-For`.
    fn client_ip(peer: &str, forwarded: &[&[u8]], proxies: &[&str]) -> String {
        let networks: Vec<IpNet> = proxies.iter().map(|text| text.parse().unwrap()).collect();
        client_ip_address(
            peer.parse().unwrap(),
            &forwarded_headers(forwarded),
            &networks,
        )
        .to_string()
    }

    #[test]
    fn without_trusted_proxies_the_peer_is_the_client() {
        assert_eq!(client_ip("10.0.0.1", &[b"1.2.3.4"], &[]), "10.0.0.1");
        assert_eq!(
            client_ip("9.9.9.9", &[b"1.2.3.4"], &["10.0.0.0/8"]),
            "9.9.9.9"
        );
    }

    #[test]
    fn behind_trusted_proxies_the_first_untrusted_hop_from_the_right_is_the_client() {
        let proxies = ["10.0.0.0/8", "fd00::/8"];
        let one_header: &[&[u8]] = &[b"6.6.6.6, 1.2.3.4"];
        assert_eq!(client_ip("10.0.0.1", one_header, &proxies), "1.2.3.4");
        let two_headers: &[&[u8]] = &[b"6.6.6.6", b"1.2.3.4, 10.0.0.2"];
        assert_eq!(client_ip("10.0.0.1", two_headers, &proxies), "1.2.3.4");
        assert_eq!(
            client_ip("fd00::1", &[b"[2001:db8::7]:443"], &proxies),
            "2001:db8::7"
        );
    }

    #[test]
    fn a_hop_that_is_not_an_ip_address_stops_the_search_and_does_not_hide_hops_to_its_right() {
        let proxies = ["10.0.0.0/8"];
        for junk in [
            "junk",
            "unknown",
            "_hidden",
            "",
            "\"",
            "fe80::1%eth0",
            "1.2.3.4:99999",
            "1.2.3",
        ] {
            let junk_last = format!("1.2.3.4, {junk}");
            assert_eq!(
                client_ip("10.0.0.1", &[junk_last.as_bytes()], &proxies),
                "10.0.0.1"
            );
            let junk_first = format!("{junk}, 1.2.3.4");
            assert_eq!(
                client_ip("10.0.0.1", &[junk_first.as_bytes()], &proxies),
                "1.2.3.4"
            );
        }
        assert_eq!(client_ip("10.0.0.1", &[], &proxies), "10.0.0.1");
    }

    #[test]
    fn a_byte_that_is_not_ascii_makes_only_its_own_hop_unreadable() {
        let proxies = ["10.0.0.0/8"];
        for value in [
            &b"\xff, 1.2.3.4"[..],
            b"6.6.6.6\xe9,1.2.3.4",
            b"\xc3\xa9,1.2.3.4 , 10.0.0.9",
        ] {
            assert_eq!(client_ip("10.0.0.1", &[value], &proxies), "1.2.3.4");
        }
        assert_eq!(
            client_ip("10.0.0.1", &[b"\xff", b"1.2.3.4"], &proxies),
            "1.2.3.4"
        );
        assert_eq!(
            client_ip("10.0.0.1", &[b"1.2.3.4", b"\xff"], &proxies),
            "10.0.0.1"
        );
    }

    #[test]
    fn only_the_nearest_32_hops_are_read() {
        let proxies = ["10.0.0.0/8"];
        let header_of_32_hops = ["1.2.3.4,", &"10.0.0.2,".repeat(31)].concat();
        let header_of_33_hops = ["1.2.3.4,", &"10.0.0.2,".repeat(32)].concat();
        assert_eq!(
            client_ip(
                "10.0.0.1",
                &[header_of_32_hops.trim_end_matches(',').as_bytes()],
                &proxies
            ),
            "1.2.3.4"
        );
        assert_eq!(
            client_ip(
                "10.0.0.1",
                &[header_of_33_hops.trim_end_matches(',').as_bytes()],
                &proxies
            ),
            "10.0.0.2"
        );
    }

    #[test]
    fn an_ip_address_may_have_a_port_and_brackets() {
        for (hop, ip_address) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 192.0.2.1:80\t", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            let parsed = parse_hop(hop.as_bytes());
            assert_eq!(parsed, Some(ip_address.parse().unwrap()), "{hop}");
        }
        for hop in [
            "[192.0.2.1]",
            "[2001:db8::1",
            "2001:db8::1]:443",
            "192.0.2.1 192.0.2.2",
        ] {
            assert_eq!(parse_hop(hop.as_bytes()), None, "{hop}");
        }
    }

    #[test]
    fn the_warning_is_due_once_a_minute_and_when_the_clock_was_set_back() {
        let (warning, now) = (ProxyWarning::default(), SystemTime::now());
        let second = Duration::from_secs(1);
        assert!(warning.start_interval_if_due(now));
        assert!(!warning.start_interval_if_due(now + WARNING_INTERVAL - second));
        assert!(warning.start_interval_if_due(now + WARNING_INTERVAL));
        assert!(!warning.start_interval_if_due(now + WARNING_INTERVAL + second));
        assert!(warning.start_interval_if_due(now), "the clock was set back");
    }

    #[test]
    fn the_warning_names_the_peer_and_the_remedy() {
        let peer: IpAddr = "127.0.0.1".parse().unwrap();
        let text = warning_text(peer, false, &X_FORWARDED_FOR);
        assert!(text.starts_with("x-forwarded-for came from 127.0.0.1, "));
        assert!(text.ends_with(": set TRUSTED_PROXIES=127.0.0.1"));
    }
}
