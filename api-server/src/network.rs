//! Defines the network to which a limit applies: IP addresses that one customer of an internet provider may control.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::Host;

/// Returns whether the host of a URL is this machine: `localhost`, a name that ends in `.localhost` (RFC 6761 § 6.3), or
/// a loopback address.
pub(crate) fn is_loopback_host<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost" || name.as_ref().ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).to_canonical().is_loopback(),
    }
}

/// An IPv4 address, an IPv6 /64, or an IPv6 /48. All /64s inside a /48 share the limits of the /48.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Network {
    V4(Ipv4Addr),
    /// The first 64 bits of the address. One customer usually controls all addresses with the same first 64 bits.
    V6Subnet(u64),
    /// The first 48 bits of the address. One customer may control all 65 536 subnets with the same first 48 bits.
    V6Site(u64),
}

impl Network {
    /// Returns the network of an IP address: the /64 of an IPv6 address, or the IPv4 address itself. An IPv4-mapped
    /// IPv6 address is treated as the IPv4 address.
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(ipv4_address) => Self::V4(ipv4_address),
            IpAddr::V6(ipv6_address) => {
                let [a, b, c, d, ..] = ipv6_address.segments();
                let segments = [a, b, c, d].map(u64::from).into_iter();
                Self::V6Subnet(segments.fold(0, |prefix, segment| prefix << 16 | segment))
            }
        }
    }

    /// Returns the site of this network: the /48 of an IPv6 network, or the same IPv4 address.
    pub(crate) fn site(self) -> Self {
        match self {
            Self::V6Subnet(prefix) => Self::V6Site(prefix >> 16),
            site => site,
        }
    }
}

/// Writes the IPv4 address, or the prefix of the IPv6 addresses, such as `2001:db8:0:1::/64`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first_address =
            |prefix: u64, bits: u32| Ipv6Addr::from_bits(u128::from(prefix) << (128 - bits));
        match *self {
            Self::V4(address) => write!(f, "{address}"),
            Self::V6Subnet(prefix) => write!(f, "{}/64", first_address(prefix, 64)),
            Self::V6Site(prefix) => write!(f, "{}/48", first_address(prefix, 48)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    fn network(address: &str) -> Network {
        Network::of(address.parse().unwrap())
    }

    #[test]
    fn an_ipv4_address_is_a_network_and_a_site_of_its_own() {
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("192.0.2.1").site(), network("192.0.2.1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }

    #[test]
    fn the_first_64_bits_of_an_ipv6_address_are_a_network() {
        let subnet = network("2001:db8:0:1::");
        assert_eq!(network("2001:db8:0:1:ffff:ffff:ffff:ffff"), subnet);
        assert_ne!(network("2001:db8:0:2::"), subnet);
        assert_ne!(network("2001:db8::"), subnet);
    }

    #[test]
    fn the_text_of_a_network_is_its_address_or_its_prefix() {
        for (address, network_text, site_text) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
            ("2001:db8:7:1::1", "2001:db8:7:1::/64", "2001:db8:7::/48"),
            ("::1", "::/64", "::/48"),
        ] {
            assert_eq!(network(address).to_string(), network_text);
            assert_eq!(network(address).site().to_string(), site_text);
        }
    }

    #[test]
    fn the_first_48_bits_of_an_ipv6_address_are_a_site() {
        let site = network("2001:db8:7::1").site();
        assert_eq!(network("2001:db8:7:ffff::1").site(), site);
        assert_ne!(network("2001:db8:8::1").site(), site);
        assert_ne!(network("2001:db8:6:ffff::1").site(), site);
    }
}
