//! Which peers are counted as a network of their own.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::network::Network;

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
    use super::Exempt;

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
