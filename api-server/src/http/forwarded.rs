//! What proxies say of a request's origin, and how far they are believed.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR};
use ipnet::IpNet;

/// More proxies than any request passes; what a header names beyond them is not looked at.
const MAX_HOPS: usize = 32;
/// How often the log mentions a proxy that is not set up.
const NOTICE_INTERVAL: Duration = Duration::from_secs(60);
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

pub(crate) fn is_proxy(address: IpAddr, proxies: &[IpNet]) -> bool {
    proxies.iter().any(|network| network.contains(&address))
}

/// The nearest address that is not a trusted proxy. `X-Forwarded-For` is read from the right, as each proxy appends the
/// address it saw; what stands further left is only a claim. A hop that is no address ends the walk at the hop before.
pub(crate) fn origin(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let values: Vec<_> = headers.get_all(X_FORWARDED_FOR).collect();
    let values = values.iter().rev().map(|value| value.as_bytes());
    let mut hops = values
        .flat_map(|value| value.rsplit(|byte| *byte == b','))
        .take(MAX_HOPS);
    let mut address = peer;
    while is_proxy(address, proxies)
        && let Some(hop) = hops.next().and_then(parse)
    {
        address = hop;
    }
    address
}

/// With or without a port, an IPv6 address with or without brackets.
fn parse(hop: &[u8]) -> Option<IpAddr> {
    let hop = str::from_utf8(hop.trim_ascii()).ok()?;
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']'));
    let address = match bare {
        Some(v6) => v6.parse().ok().map(IpAddr::V6),
        None => hop.parse().ok(),
    };
    let address = address.or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

/// Says in the log that a proxy is not set up, once a minute.
#[derive(Default)]
pub(crate) struct ProxyNotice {
    last: Mutex<Option<SystemTime>>,
}

impl ProxyNotice {
    pub(crate) fn observe(
        &self,
        peer: IpAddr,
        is_trusted: bool,
        headers: &HeaderMap,
        now: SystemTime,
    ) {
        let names = [X_FORWARDED_FOR, FORWARDED, X_REAL_IP];
        let Some(name) = names.iter().find(|name| headers.contains_key(*name)) else {
            return;
        };
        if is_trusted && *name == X_FORWARDED_FOR {
            return;
        }
        if self.is_due(now) {
            log::warn!("{}", notice(peer, is_trusted, name));
        }
    }

    fn is_due(&self, now: SystemTime) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back does not silence it.
        let elapsed = last.map(|last| now.duration_since(last).unwrap_or(NOTICE_INTERVAL));
        let is_due = elapsed.is_none_or(|elapsed| elapsed >= NOTICE_INTERVAL);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

fn notice(peer: IpAddr, is_trusted: bool, name: &HeaderName) -> String {
    if is_trusted {
        return format!(
            "the trusted proxy {peer} sends {name} but no x-forwarded-for, which alone is read: all its visitors count \
             as one network; let it send X-Forwarded-For"
        );
    }
    let effect = if peer.is_loopback() {
        "are not told apart, and no limit per network applies to them"
    } else {
        "count as one network"
    };
    format!(
        "{name} came from {peer}, which is no trusted proxy, and was not believed; if {peer} is a proxy of yours, its \
         visitors {effect}: set TRUSTED_PROXIES={peer}"
    )
}

#[cfg(test)]
mod tests {
    use super::{NOTICE_INTERVAL, ProxyNotice, notice, origin, parse};
    use actix_web::http::header::{HeaderMap, HeaderValue, X_FORWARDED_FOR};
    use ipnet::IpNet;
    use std::net::IpAddr;
    use std::time::{Duration, SystemTime};

    fn headers(forwarded: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    fn seen(peer: &str, forwarded: &[&[u8]], proxies: &[&str]) -> String {
        let proxies: Vec<IpNet> = proxies.iter().map(|text| text.parse().unwrap()).collect();
        origin(peer.parse().unwrap(), &headers(forwarded), &proxies).to_string()
    }

    #[test]
    fn without_trusted_proxies_only_the_peer_counts() {
        assert_eq!(seen("10.0.0.1", &[b"1.2.3.4"], &[]), "10.0.0.1");
        assert_eq!(seen("9.9.9.9", &[b"1.2.3.4"], &["10.0.0.0/8"]), "9.9.9.9");
    }

    #[test]
    fn behind_trusted_proxies_the_first_untrusted_address_from_the_right_counts() {
        let proxies = ["10.0.0.0/8", "fd00::/8"];
        let one: &[&[u8]] = &[b"6.6.6.6, 1.2.3.4"];
        assert_eq!(seen("10.0.0.1", one, &proxies), "1.2.3.4");
        let two: &[&[u8]] = &[b"6.6.6.6", b"1.2.3.4, 10.0.0.2"];
        assert_eq!(seen("10.0.0.1", two, &proxies), "1.2.3.4");
        assert_eq!(
            seen("fd00::1", &[b"[2001:db8::7]:443"], &proxies),
            "2001:db8::7"
        );
    }

    #[test]
    fn what_is_no_address_ends_the_walk_and_hides_nothing_to_its_right() {
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
            let right = format!("1.2.3.4, {junk}");
            assert_eq!(seen("10.0.0.1", &[right.as_bytes()], &proxies), "10.0.0.1");
            let left = format!("{junk}, 1.2.3.4");
            assert_eq!(seen("10.0.0.1", &[left.as_bytes()], &proxies), "1.2.3.4");
        }
        assert_eq!(seen("10.0.0.1", &[], &proxies), "10.0.0.1");
    }

    #[test]
    fn a_byte_that_is_not_ascii_hides_only_its_own_hop() {
        let proxies = ["10.0.0.0/8"];
        for value in [
            &b"\xff, 1.2.3.4"[..],
            b"6.6.6.6\xe9,1.2.3.4",
            b"\xc3\xa9,1.2.3.4 , 10.0.0.9",
        ] {
            assert_eq!(seen("10.0.0.1", &[value], &proxies), "1.2.3.4");
        }
        assert_eq!(
            seen("10.0.0.1", &[b"\xff", b"1.2.3.4"], &proxies),
            "1.2.3.4"
        );
        assert_eq!(
            seen("10.0.0.1", &[b"1.2.3.4", b"\xff"], &proxies),
            "10.0.0.1"
        );
    }

    #[test]
    fn of_thousands_of_hops_only_the_nearest_are_looked_at() {
        let proxies = ["10.0.0.0/8"];
        let (near, far) = ("10.0.0.2,".repeat(31), "10.0.0.2,".repeat(32));
        let near = ["1.2.3.4,", &near].concat();
        let far = ["1.2.3.4,", &far].concat();
        assert_eq!(
            seen(
                "10.0.0.1",
                &[near.trim_end_matches(',').as_bytes()],
                &proxies
            ),
            "1.2.3.4"
        );
        assert_eq!(
            seen(
                "10.0.0.1",
                &[far.trim_end_matches(',').as_bytes()],
                &proxies
            ),
            "10.0.0.2"
        );
    }

    #[test]
    fn an_address_may_have_a_port_and_brackets() {
        for (hop, address) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 192.0.2.1:80\t", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            let parsed = parse(hop.as_bytes());
            assert_eq!(parsed, Some(address.parse().unwrap()), "{hop}");
        }
        for hop in [
            "[192.0.2.1]",
            "[2001:db8::1",
            "2001:db8::1]:443",
            "192.0.2.1 192.0.2.2",
        ] {
            assert_eq!(parse(hop.as_bytes()), None, "{hop}");
        }
    }

    #[test]
    fn the_notice_is_due_once_a_minute() {
        let (notice, now) = (ProxyNotice::default(), SystemTime::now());
        let second = Duration::from_secs(1);
        assert!(notice.is_due(now));
        assert!(!notice.is_due(now + NOTICE_INTERVAL - second));
        assert!(notice.is_due(now + NOTICE_INTERVAL));
        assert!(!notice.is_due(now + NOTICE_INTERVAL + second));
        // A clock that was set back.
        assert!(notice.is_due(now));
    }

    #[test]
    fn the_notice_names_the_peer_and_the_remedy() {
        let peer: IpAddr = "127.0.0.1".parse().unwrap();
        let text = notice(peer, false, &X_FORWARDED_FOR);
        assert!(text.starts_with("x-forwarded-for came from 127.0.0.1, "));
        assert!(text.ends_with(": set TRUSTED_PROXIES=127.0.0.1"));
    }
}
