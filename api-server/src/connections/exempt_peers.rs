//! Decides which connections are counted by network.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::network::Network;

/// Peers whose connections are not counted by network, because they may come from many users: proxies, and optionally
/// loopback addresses. The server never closes a connection from these peers to free a slot.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExemptPeers {
    /// Networks of the trusted proxies.
    pub(crate) proxies: Vec<IpNet>,
    /// Whether loopback addresses are exempt.
    pub(crate) exempts_loopback: bool,
}

impl ExemptPeers {
    /// Returns the network for which a connection from this peer is counted; `None` if the peer is exempt.
    pub(super) fn counted_network(&self, peer: IpAddr) -> Option<Network> {
        let ip = peer.to_canonical();
        let is_proxy = self.proxies.iter().any(|network| network.contains(&ip));
        let is_exempt = is_proxy || (self.exempts_loopback && ip.is_loopback());
        (!is_exempt).then(|| Network::of(ip))
    }
}

#[cfg(test)]
mod tests {
    use super::ExemptPeers;

    #[test]
    fn proxies_are_exempt_and_loopback_addresses_only_if_configured() {
        let exempt_peers = ExemptPeers {
            proxies: vec!["10.0.0.0/8".parse().unwrap()],
            exempts_loopback: true,
        };
        for (peer, is_exempt) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("127.0.0.2", true),
            ("::1", true),
            ("192.0.2.1", false),
            ("2001:db8::1", false),
        ] {
            let network = exempt_peers.counted_network(peer.parse().unwrap());
            assert_eq!(network.is_none(), is_exempt, "{peer}");
        }
        assert!(
            ExemptPeers::default()
                .counted_network("127.0.0.1".parse().unwrap())
                .is_some()
        );
    }
}
