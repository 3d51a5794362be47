//! Limits the open connections. When a connection is opened at the limit, the server closes a connection of the site
//! with the most connections, or the new one if all the others are from exempt or unknown peers. A site is one IPv4
//! address or one IPv6 /48. Comparing IPv6 /64s would not suffice: a customer who has a whole /48 could open one
//! connection from each /64, until the server closes the connections of other users.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::exempt_peers::ExemptPeers;
use crate::network::Network;

/// All open connections. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Registry>);

struct Registry {
    max_connections: usize,
    exempt_peers: ExemptPeers,
    state: Mutex<OpenConnections>,
}

#[derive(Default)]
struct OpenConnections {
    total: usize,
    /// The number for the next connection. Numbers increase, so the oldest connection has the lowest number.
    next_number: u64,
    sites: HashMap<Network, Site>,
}

/// The connections of one site.
#[derive(Default)]
struct Site {
    total: usize,
    /// The connections of each network by number, the oldest first. Dropping a sender closes the connection.
    networks: HashMap<Network, BTreeMap<u64, oneshot::Sender<()>>>,
}

/// One of `max_connections` slots for open connections. Dropping this value frees the slot, unless an eviction has
/// already freed the slot.
pub(super) struct ConnectionSlot {
    connections: Connections,
    network: Option<Network>,
    number: u64,
    /// Receives no value: the sender is dropped when the connection must be closed.
    eviction: oneshot::Receiver<()>,
    /// The sender of a connection that is not counted by network. Kept until the connection ends, because dropping the
    /// sender would close the connection.
    _sender: Option<oneshot::Sender<()>>,
}

impl Connections {
    pub(crate) fn new(max_connections: usize, exempt_peers: ExemptPeers) -> Self {
        Self(Arc::new(Registry {
            max_connections,
            exempt_peers,
            state: Mutex::default(),
        }))
    }

    /// Reserves a slot for a connection from this peer. At the limit, closes another connection first, or returns
    /// `None` if all slots belong to exempt or unknown peers, whose connections are not closed.
    pub(super) fn admit(&self, peer: Option<IpAddr>) -> Option<ConnectionSlot> {
        let network = peer.and_then(|peer| self.0.exempt_peers.counted_network(peer));
        let mut state = self.lock();
        if state.total >= self.0.max_connections && !state.evict_from_largest_site(network) {
            return None;
        }
        let (sender, eviction) = oneshot::channel();
        let number = state.next_number;
        state.next_number += 1;
        state.total += 1;
        let mut unregistered_sender = Some(sender);
        if let Some(network) = network {
            let site = state.sites.entry(network.site()).or_default();
            site.total += 1;
            let connections = site.networks.entry(network).or_default();
            connections.extend(unregistered_sender.take().map(|sender| (number, sender)));
        }
        Some(ConnectionSlot {
            connections: self.clone(),
            network,
            number,
            eviction,
            _sender: unregistered_sender,
        })
    }

    pub(crate) fn open_count(&self) -> usize {
        self.lock().total
    }

    pub(crate) fn max_count(&self) -> usize {
        self.0.max_connections
    }

    fn lock(&self) -> MutexGuard<'_, OpenConnections> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OpenConnections {
    /// Closes the oldest connection of the largest network of the largest site, by number of connections. Among sites
    /// or networks of the same size, prefers the site or network of the new connection, then the site or network with
    /// the oldest connection. Returns whether a connection was closed.
    fn evict_from_largest_site(&mut self, new_network: Option<Network>) -> bool {
        let new_site = new_network.map(Network::site);
        let rank = |(network, site): (&Network, &Site)| (site.total, Some(*network) == new_site);
        let largest_site = self.sites.iter().max_by(|first, second| {
            let order = rank(*first).cmp(&rank(*second));
            order.then_with(|| second.1.oldest_number().cmp(&first.1.oldest_number()))
        });
        let Some((network, number)) =
            largest_site.and_then(|(_, site)| site.next_to_evict(new_network))
        else {
            return false;
        };
        self.remove(network, number)
    }

    fn remove(&mut self, network: Network, number: u64) -> bool {
        let Some(site) = self.sites.get_mut(&network.site()) else {
            return false;
        };
        let was_open = site.remove(network, number);
        if site.total == 0 {
            self.sites.remove(&network.site());
        }
        if was_open {
            self.total = self.total.saturating_sub(1);
        }
        was_open
    }
}

impl Site {
    fn oldest_number(&self) -> Option<u64> {
        let networks = self.networks.values();
        let oldest_numbers = networks.filter_map(|connections| connections.keys().next());
        oldest_numbers.min().copied()
    }

    /// Returns the network and the number of the connection to close next.
    fn next_to_evict(&self, new_network: Option<Network>) -> Option<(Network, u64)> {
        let candidates = self.networks.iter().filter_map(|(network, connections)| {
            let number = *connections.keys().next()?;
            Some((*network, connections.len(), number))
        });
        let (network, _, number) = candidates.max_by_key(|(network, count, number)| {
            (*count, Some(*network) == new_network, Reverse(*number))
        })?;
        Some((network, number))
    }

    fn remove(&mut self, network: Network, number: u64) -> bool {
        let Some(connections) = self.networks.get_mut(&network) else {
            return false;
        };
        let was_open = connections.remove(&number).is_some();
        if connections.is_empty() {
            self.networks.remove(&network);
        }
        if was_open {
            self.total = self.total.saturating_sub(1);
        }
        was_open
    }
}

impl ConnectionSlot {
    /// Waits until this connection must be closed to free the slot for another connection.
    pub(super) async fn wait_until_evicted(&mut self) {
        let _sender_dropped = (&mut self.eviction).await;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut state = self.connections.lock();
        match self.network {
            Some(network) => {
                state.remove(network, self.number);
            }
            None => state.total = state.total.saturating_sub(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectionSlot, Connections, ExemptPeers};

    fn new_connections(max_connections: usize) -> Connections {
        let exempt_peers = ExemptPeers {
            proxies: Vec::new(),
            exempts_loopback: true,
        };
        Connections::new(max_connections, exempt_peers)
    }

    fn admit(connections: &Connections, peer: &str) -> Option<ConnectionSlot> {
        connections.admit(Some(peer.parse().unwrap()))
    }

    fn is_evicted(slot: &mut ConnectionSlot) -> bool {
        slot.eviction.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn the_oldest_connection_of_the_largest_network_is_evicted() {
        let connections = new_connections(4);
        let mut largest_network_slots: Vec<_> = (0..4)
            .map(|_| admit(&connections, "192.0.2.1").unwrap())
            .collect();
        let mut small_network_slots = Vec::new();
        for peer in ["192.0.2.2", "192.0.2.3"] {
            small_network_slots.push(admit(&connections, peer).unwrap());
        }
        let are_evicted: Vec<_> = largest_network_slots.iter_mut().map(is_evicted).collect();
        assert_eq!(are_evicted, [true, true, false, false]);
        // A further connection from the largest network evicts the oldest open connection of this network.
        largest_network_slots.push(admit(&connections, "192.0.2.1").unwrap());
        assert!(is_evicted(&mut largest_network_slots[2]));
        assert!(!small_network_slots.iter_mut().any(is_evicted));
        assert_eq!(connections.lock().total, 4);
    }

    #[test]
    fn a_large_site_of_many_small_networks_loses_a_connection_before_a_smaller_site() {
        let connections = new_connections(23);
        let mut small_site_slots: Vec<_> = (0..3)
            .map(|_| admit(&connections, "2001:db8:1::1").unwrap())
            .collect();
        let mut large_site_slots: Vec<_> = (0..20)
            .map(|subnet| admit(&connections, &format!("2001:db8:2:{subnet:x}::1")).unwrap())
            .collect();
        for subnet in 20..60 {
            large_site_slots
                .push(admit(&connections, &format!("2001:db8:2:{subnet:x}::1")).unwrap());
        }
        let mut ipv4_slot = admit(&connections, "192.0.2.1").unwrap();
        let evictions = large_site_slots
            .iter_mut()
            .filter_map(|slot| is_evicted(slot).then_some(()));
        assert_eq!(evictions.count(), 41);
        assert!(!small_site_slots.iter_mut().any(is_evicted));
        assert!(!is_evicted(&mut ipv4_slot));
    }

    #[test]
    fn within_a_site_the_oldest_connection_of_the_largest_network_is_evicted() {
        let connections = new_connections(4);
        let peers = [
            "2001:db8:2:1::1",
            "2001:db8:2:2::1",
            "2001:db8:2:2::1",
            "192.0.2.1",
        ];
        let mut slots = peers.map(|peer| admit(&connections, peer).unwrap());
        let _new_slot = admit(&connections, "192.0.2.2").unwrap();
        let are_evicted = slots.each_mut().map(is_evicted);
        assert_eq!(are_evicted, [false, true, false, false]);
    }

    #[test]
    fn among_equal_sites_the_site_of_the_new_connection_is_chosen_then_the_site_of_the_oldest() {
        let connections = new_connections(3);
        let peers = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
        let mut slots = peers.map(|peer| admit(&connections, peer).unwrap());
        let mut fourth_slot = admit(&connections, "192.0.2.2").unwrap();
        assert_eq!(slots.each_mut().map(is_evicted), [false, true, false]);
        let _fifth_slot = admit(&connections, "192.0.2.4").unwrap();
        assert_eq!(slots.each_mut().map(is_evicted), [true, true, false]);
        assert!(!is_evicted(&mut fourth_slot));
    }

    #[test]
    fn exempt_connections_are_limited_but_not_evicted() {
        let connections = new_connections(2);
        let mut loopback_slots = [
            admit(&connections, "127.0.0.1").unwrap(),
            admit(&connections, "127.0.0.1").unwrap(),
        ];
        assert!(admit(&connections, "192.0.2.1").is_none());
        assert!(admit(&connections, "127.0.0.1").is_none());
        assert!(!loopback_slots.iter_mut().any(is_evicted));
        drop(loopback_slots);
        assert!(admit(&connections, "192.0.2.1").is_some());
    }

    #[test]
    fn a_closed_connection_frees_its_slot() {
        let connections = new_connections(1);
        for _ in 0..3 {
            let mut slot = admit(&connections, "192.0.2.1").unwrap();
            assert!(!is_evicted(&mut slot));
        }
        let state = connections.lock();
        assert_eq!((state.total, state.sites.len()), (0, 0));
    }
}
