//! Which network a peer belongs to.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// An IPv4 address, or the first 64 bits of an IPv6 address: what one caller can choose among freely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Network(IpAddr);

impl Network {
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let bits = address.to_bits() >> 64 << 64;
                Self(Ipv6Addr::from_bits(bits).into())
            }
            v4 @ IpAddr::V4(_) => Self(v4),
        }
    }
}

/// Peers that are no network of their own: a proxy speaks for all its visitors, and so may a peer on this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exempt {
    pub(crate) proxies: Vec<IpNet>,
    pub(crate) loopback: bool,
}

impl Exempt {
    pub(super) fn network(&self, peer: IpAddr) -> Option<Network> {
        let peer = peer.to_canonical();
        let is_proxy = self.proxies.iter().any(|network| network.contains(&peer));
        let is_exempt = is_proxy || (self.loopback && peer.is_loopback());
        (!is_exempt).then(|| Network::of(peer))
    }
}

#[cfg(test)]
mod tests {
    use super::{Exempt, Network};

    fn network(text: &str) -> Network {
        Network::of(text.parse().unwrap())
    }

    #[test]
    fn a_network_is_an_ipv4_address_or_the_first_64_bits_of_an_ipv6_address() {
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("2001:db8:0:1::1"), network("2001:db8:0:1:ffff::2"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
    }

    #[test]
    fn a_proxy_and_a_peer_on_this_machine_are_exempt() {
        let exempt = Exempt {
            proxies: vec!["10.0.0.0/8".parse().unwrap()],
            loopback: true,
        };
        for (peer, is_exempt) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("127.0.0.2", true),
            ("::1", true),
            ("192.0.2.1", false),
            ("2001:db8::1", false),
        ] {
            let network = exempt.network(peer.parse().unwrap());
            assert_eq!(network.is_none(), is_exempt, "{peer}");
        }
        assert!(
            Exempt::default()
                .network("127.0.0.1".parse().unwrap())
                .is_some()
        );
    }
}
