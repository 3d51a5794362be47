//! Which device a request came from: for the list of sessions, and for counting failed logins.

use std::future::{Ready, ready};
use std::net::{IpAddr, SocketAddr};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderValue, USER_AGENT, X_FORWARDED_FOR};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use ipnet::IpNet;

use crate::problem::Problem;
use crate::state::State;

const MAX_USER_AGENT_CHARS: usize = 512;

/// The address it came from and what it calls itself.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) ip_address: Option<IpAddr>,
    pub(crate) user_agent: Option<String>,
}

impl FromRequest for Client {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let proxies = request
            .app_data::<Data<State>>()
            .map_or(&[][..], |state| state.trusted_proxies.as_slice());
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        let user_agent = request.headers().get(USER_AGENT);
        ready(Ok(Self {
            ip_address: peer.map(|peer| origin(peer, request.headers(), proxies)),
            user_agent: user_agent.map(|value| printable(value.as_bytes())),
        }))
    }
}

/// The nearest address that is not a proxy of ours. `X-Forwarded-For` is read from the right, as each proxy appends the
/// address it saw; what stands further left is only somebody's claim.
fn origin(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_proxy = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    let values: Vec<&str> = headers
        .get_all(X_FORWARDED_FOR)
        .map(|value: &HeaderValue| value.to_str().unwrap_or_default())
        .collect();
    let mut hops = values.iter().rev().flat_map(|value| value.rsplit(','));
    let mut address = peer;
    while is_proxy(&address)
        && let Some(hop) = hops.next().and_then(|hop| parse(hop.trim_ascii()))
    {
        address = hop;
    }
    address
}

/// With or without a port.
fn parse(hop: &str) -> Option<IpAddr> {
    let address = hop.parse::<IpAddr>().ok();
    let address = address.or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

/// A header may hold any bytes; a text column and a list on a screen may not.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .filter(|character| !character.is_control())
        .take(MAX_USER_AGENT_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::origin;
    use actix_web::test::TestRequest;
    use ipnet::IpNet;

    fn seen(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let proxies: Vec<IpNet> = proxies.iter().map(|text| text.parse().unwrap()).collect();
        let mut request = TestRequest::default();
        for value in forwarded {
            request = request.append_header(("x-forwarded-for", *value));
        }
        let request = request.to_http_request();
        origin(peer.parse().unwrap(), request.headers(), &proxies).to_string()
    }

    #[test]
    fn without_trusted_proxies_only_the_peer_counts() {
        assert_eq!(seen("10.0.0.1", &["1.2.3.4"], &[]), "10.0.0.1");
        assert_eq!(seen("9.9.9.9", &["1.2.3.4"], &["10.0.0.0/8"]), "9.9.9.9");
    }

    #[test]
    fn behind_trusted_proxies_the_first_untrusted_address_from_the_right_counts() {
        let proxies = ["10.0.0.0/8", "fd00::/8"];
        assert_eq!(seen("10.0.0.1", &["6.6.6.6, 1.2.3.4"], &proxies), "1.2.3.4");
        assert_eq!(
            seen("10.0.0.1", &["6.6.6.6", "1.2.3.4, 10.0.0.2"], &proxies),
            "1.2.3.4"
        );
        assert_eq!(
            seen("fd00::1", &["[2001:db8::7]:443"], &proxies),
            "2001:db8::7"
        );
    }

    #[test]
    fn junk_ends_the_walk() {
        assert_eq!(
            seen("10.0.0.1", &["1.2.3.4, junk"], &["10.0.0.0/8"]),
            "10.0.0.1"
        );
        assert_eq!(seen("10.0.0.1", &[], &["10.0.0.0/8"]), "10.0.0.1");
    }
}
