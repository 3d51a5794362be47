//! The open connections. At the limit, the site with the most connections loses its oldest. A site is an IPv6 /48 or one
//! IPv4 address: one customer can use all networks of a /48, so a count by network alone would close connections of others.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::network::Exempt;
use crate::network::Network;

/// Every open connection. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Shared>);

struct Shared {
    max: usize,
    exempt: Exempt,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    total: usize,
    next: u64,
    sites: HashMap<Network, Site>,
}

/// The connections of one site.
#[derive(Default)]
struct Site {
    total: usize,
    /// By network, the oldest first; dropping the sender closes the connection.
    networks: HashMap<Network, BTreeMap<u64, oneshot::Sender<()>>>,
}

/// The slot of one connection. Dropping it frees the slot.
pub(super) struct ConnectionSlot {
    connections: Connections,
    network: Option<Network>,
    number: u64,
    evicted: oneshot::Receiver<()>,
    /// Of a connection that no network counts, so that its receiver stays silent.
    _sender: Option<oneshot::Sender<()>>,
}

impl Connections {
    pub(crate) fn new(max: usize, exempt: Exempt) -> Self {
        Self(Arc::new(Shared {
            max,
            exempt,
            open: Mutex::default(),
        }))
    }

    /// Reserves a slot for a connection from this peer. `None` if peers without a network hold all slots.
    pub(super) fn admit(&self, peer: Option<IpAddr>) -> Option<ConnectionSlot> {
        let network = peer.and_then(|peer| self.0.exempt.network(peer));
        let mut open = self.lock();
        if open.total >= self.0.max && !open.evict_oldest(network) {
            return None;
        }
        let (sender, evicted) = oneshot::channel();
        let number = open.next;
        open.next += 1;
        open.total += 1;
        let mut sender = Some(sender);
        if let Some(network) = network {
            let site = open.sites.entry(network.site()).or_default();
            site.total += 1;
            let of_network = site.networks.entry(network).or_default();
            of_network.extend(sender.take().map(|sender| (number, sender)));
        }
        Some(ConnectionSlot {
            connections: self.clone(),
            network,
            number,
            evicted,
            _sender: sender,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Closes the oldest connection of the largest network of the site that has the most connections. Among equals, the
    /// site and the network of the new connection come first, then those with the oldest connection.
    fn evict_oldest(&mut self, new_network: Option<Network>) -> bool {
        let new_site = new_network.map(Network::site);
        let most = self.sites.iter().max_by(|(one, a), (other, b)| {
            let rank = |site: Network, of_site: &Site| (of_site.total, Some(site) == new_site);
            rank(**one, a)
                .cmp(&rank(**other, b))
                .then_with(|| b.oldest().cmp(&a.oldest()))
        });
        let Some((network, oldest)) = most.and_then(|(_, site)| site.next_to_evict(new_network))
        else {
            return false;
        };
        self.remove(network, oldest)
    }

    fn remove(&mut self, network: Network, number: u64) -> bool {
        let Some(site) = self.sites.get_mut(&network.site()) else {
            return false;
        };
        let was_there = site.remove(network, number);
        if site.total == 0 {
            self.sites.remove(&network.site());
        }
        if was_there {
            self.total = self.total.saturating_sub(1);
        }
        was_there
    }
}

impl Site {
    fn oldest(&self) -> Option<u64> {
        let oldest = self.networks.values().filter_map(|open| open.keys().next());
        oldest.min().copied()
    }

    fn next_to_evict(&self, new_network: Option<Network>) -> Option<(Network, u64)> {
        let oldest = self
            .networks
            .iter()
            .filter_map(|(network, open)| Some((*network, open.len(), *open.keys().next()?)));
        let (network, _, oldest) = oldest.max_by_key(|(network, count, oldest)| {
            (*count, Some(*network) == new_network, Reverse(*oldest))
        })?;
        Some((network, oldest))
    }

    fn remove(&mut self, network: Network, number: u64) -> bool {
        let Some(of_network) = self.networks.get_mut(&network) else {
            return false;
        };
        let was_there = of_network.remove(&number).is_some();
        if of_network.is_empty() {
            self.networks.remove(&network);
        }
        if was_there {
            self.total = self.total.saturating_sub(1);
        }
        was_there
    }
}

impl ConnectionSlot {
    /// Returns when the connection has to make room.
    pub(super) async fn evicted(&mut self) {
        let _sender_gone = (&mut self.evicted).await;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        match self.network {
            Some(network) => {
                open.remove(network, self.number);
            }
            None => open.total = open.total.saturating_sub(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ConnectionSlot, Connections, Exempt};

    fn connections(max: usize) -> Connections {
        let exempt = Exempt {
            proxies: Vec::new(),
            loopback: true,
        };
        Connections::new(max, exempt)
    }

    fn admit(connections: &Connections, peer: &str) -> Option<ConnectionSlot> {
        connections.admit(Some(peer.parse().unwrap()))
    }

    fn is_evicted(place: &mut ConnectionSlot) -> bool {
        place.evicted.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Closed)
    }

    #[test]
    fn the_network_with_the_most_connections_makes_room_and_its_oldest_goes() {
        let connections = connections(4);
        let mut storm: Vec<_> = (0..4)
            .map(|_| admit(&connections, "192.0.2.1").unwrap())
            .collect();
        let mut others = Vec::new();
        for other in ["192.0.2.2", "192.0.2.3"] {
            others.push(admit(&connections, other).unwrap());
        }
        let ended: Vec<_> = storm.iter_mut().map(is_evicted).collect();
        assert_eq!(ended, [true, true, false, false]);
        // The storm goes on, against itself.
        storm.push(admit(&connections, "192.0.2.1").unwrap());
        assert!(is_evicted(&mut storm[2]));
        assert!(!others.iter_mut().any(is_evicted));
        assert_eq!(connections.lock().total, 4);
    }

    #[test]
    fn a_site_with_one_connection_in_each_of_its_networks_makes_room_before_a_smaller_network() {
        let connections = connections(23);
        let mut honest: Vec<_> = (0..3)
            .map(|_| admit(&connections, "2001:db8:1::1").unwrap())
            .collect();
        let mut storm: Vec<_> = (0..20)
            .map(|subnet| admit(&connections, &format!("2001:db8:2:{subnet:x}::1")).unwrap())
            .collect();
        for subnet in 20..60 {
            storm.push(admit(&connections, &format!("2001:db8:2:{subnet:x}::1")).unwrap());
        }
        let mut other = admit(&connections, "192.0.2.1").unwrap();
        let ended = storm
            .iter_mut()
            .filter_map(|slot| is_evicted(slot).then_some(()));
        assert_eq!(ended.count(), 41);
        assert!(!honest.iter_mut().any(is_evicted));
        assert!(!is_evicted(&mut other));
    }

    #[test]
    fn the_largest_network_of_a_site_makes_room_and_its_oldest_goes() {
        let connections = connections(4);
        let peers = [
            "2001:db8:2:1::1",
            "2001:db8:2:2::1",
            "2001:db8:2:2::1",
            "192.0.2.1",
        ];
        let mut slots = peers.map(|peer| admit(&connections, peer).unwrap());
        let _new = admit(&connections, "192.0.2.2").unwrap();
        let ended = slots.each_mut().map(is_evicted);
        assert_eq!(ended, [false, true, false, false]);
    }

    #[test]
    fn among_equals_the_new_connections_site_makes_room_and_then_the_oldest() {
        let connections = connections(3);
        let peers = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
        let mut slots = peers.map(|peer| admit(&connections, peer).unwrap());
        let mut second = admit(&connections, "192.0.2.2").unwrap();
        assert_eq!(slots.each_mut().map(is_evicted), [false, true, false]);
        let _new = admit(&connections, "192.0.2.4").unwrap();
        assert_eq!(slots.each_mut().map(is_evicted), [true, true, false]);
        assert!(!is_evicted(&mut second));
    }

    #[test]
    fn what_no_network_counts_is_bounded_but_not_ended() {
        let connections = connections(2);
        let mut local = [
            admit(&connections, "127.0.0.1").unwrap(),
            admit(&connections, "127.0.0.1").unwrap(),
        ];
        assert!(admit(&connections, "192.0.2.1").is_none());
        assert!(admit(&connections, "127.0.0.1").is_none());
        assert!(!local.iter_mut().any(is_evicted));
        drop(local);
        assert!(admit(&connections, "192.0.2.1").is_some());
    }

    #[test]
    fn a_connection_that_ended_frees_its_slot() {
        let connections = connections(1);
        for _ in 0..3 {
            let mut slot = admit(&connections, "192.0.2.1").unwrap();
            assert!(!is_evicted(&mut slot));
        }
        let open = connections.lock();
        assert_eq!((open.total, open.sites.len()), (0, 0));
    }
}
