//! Who is connected. When there is no more room, the network with the most connections makes some.

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
    /// By network, the oldest first; dropping the sender ends the connection.
    networks: HashMap<Network, BTreeMap<u64, oneshot::Sender<()>>>,
}

/// The slot of one connection, free again when it is dropped.
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
            let of_network = open.networks.entry(network).or_default();
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
    /// Closes the oldest connection of the network that has the most; among equals, of the new connection's network.
    fn evict_oldest(&mut self, new_network: Option<Network>) -> bool {
        let most = self
            .networks
            .iter()
            .max_by_key(|(network, open)| (open.len(), Some(**network) == new_network));
        let Some(network) = most.map(|(network, _)| *network) else {
            return false;
        };
        let oldest = self
            .networks
            .get(&network)
            .and_then(|open| open.keys().next().copied());
        oldest.is_some_and(|oldest| self.remove(network, oldest))
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

    fn is_evicted(slot: &mut ConnectionSlot) -> bool {
        slot.evicted.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Closed)
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
    fn a_connection_that_ended_leaves_its_place() {
        let connections = connections(1);
        for _ in 0..3 {
            let mut slot = admit(&connections, "192.0.2.1").unwrap();
            assert!(!is_evicted(&mut slot));
        }
        let open = connections.lock();
        assert_eq!((open.total, open.networks.len()), (0, 0));
    }
}
