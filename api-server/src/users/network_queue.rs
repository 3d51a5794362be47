//! A queue that is fair between networks: the waiting networks are served in rotation. The queue only orders the
//! waiters, and has no threads and no clock.
//!
//! The waiters of one network are served in the order of their arrival. The rotation has one entry for each site (an
//! IPv4 address or an IPv6 /48), and the networks of a site rotate within the site. So a /48, which has 65 536
//! networks, is served as often as one IPv4 address. All clients without a network share one entry.

use std::collections::VecDeque;

use crate::network::Network;

/// The network of a waiter; `None` for all clients without a network.
pub(crate) type QueueKey = Option<Network>;

/// The maximum numbers of waiters. If the queue has `total` waiters, a new waiter displaces a waiter of the site with
/// the most waiters, provided that this site has at least two waiters more than the site of the new waiter. So a new
/// network can still wait while many other networks have reached their limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WaiterLimits {
    total: usize,
    per_network: usize,
    /// The limit for the networks of one IPv6 /48 together.
    per_site: usize,
}

impl WaiterLimits {
    /// Creates the limits. An IPv6 /48 gets four times the limit of one network.
    pub(crate) const fn new(total: usize, per_network: usize) -> Self {
        Self {
            total,
            per_network,
            per_site: per_network.saturating_mul(4),
        }
    }
}

/// Identifies one waiter, so that the waiter can be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaiterId(u64);

/// The error if the limit of the network is reached, or if another limit is reached and no waiter can be displaced.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NetworkQueueFull;

/// A queue of the waiters of all networks. `T` is the value with which the owner of the queue wakes a waiter.
pub(crate) struct NetworkQueue<T> {
    limits: WaiterLimits,
    /// The site that is served next comes first.
    sites: VecDeque<Site<T>>,
    waiter_count: usize,
    last_id: u64,
}

/// A site with at least one waiting network. The network that is served next comes first.
struct Site<T> {
    key: QueueKey,
    networks: VecDeque<NetworkWaiters<T>>,
}

/// A network with at least one waiter. The oldest waiter comes first.
struct NetworkWaiters<T> {
    key: QueueKey,
    waiters: VecDeque<(WaiterId, T)>,
}

impl<T> NetworkQueue<T> {
    pub(crate) fn new(limits: WaiterLimits) -> Self {
        Self {
            limits,
            sites: VecDeque::new(),
            waiter_count: 0,
            last_id: 0,
        }
    }

    pub(crate) const fn len(&self) -> usize {
        self.waiter_count
    }

    /// Adds a waiter behind the other waiters of the same network. If the limit of the site or of the queue is reached,
    /// displaces and returns the newest waiter of another network. Fails if no waiter can be displaced, or if the limit
    /// of the network is reached.
    pub(crate) fn push(
        &mut self,
        key: QueueKey,
        waiter: T,
    ) -> Result<(WaiterId, Option<T>), NetworkQueueFull> {
        let displaced_waiter = self.displace_if_full(key)?;
        self.last_id = self.last_id.wrapping_add(1);
        let id = WaiterId(self.last_id);
        let entry = (id, waiter);
        match self.site_mut(site_of(key)) {
            Some(site) => site.push(key, entry),
            None => self.sites.push_back(Site::new(key, entry)),
        }
        self.waiter_count = self.waiter_count.saturating_add(1);
        Ok((id, displaced_waiter))
    }

    /// Removes and returns the next waiter. The site of the waiter moves to the end of the rotation, and so does the
    /// network within the site.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let mut site = self.sites.pop_front()?;
        let waiter = site.pop();
        if !site.networks.is_empty() {
            self.sites.push_back(site);
        }
        self.waiter_count = self.waiter_count.saturating_sub(1);
        waiter
    }

    /// Removes and returns a waiter; `None` if the waiter was served, displaced or removed before.
    pub(crate) fn remove(&mut self, key: QueueKey, id: WaiterId) -> Option<T> {
        let network = self.site_mut(site_of(key))?.network_mut(key)?;
        let mut waiters = network.waiters.iter();
        let index = waiters.position(|(waiter_id, _)| *waiter_id == id)?;
        let (_, waiter) = network.waiters.remove(index)?;
        self.record_removal(key);
        Some(waiter)
    }

    /// Displaces and returns a waiter if a new waiter of this network would exceed the limit of its site or the queue.
    fn displace_if_full(&mut self, key: QueueKey) -> Result<Option<T>, NetworkQueueFull> {
        let site = self.site_mut(site_of(key));
        let (network_waiter_count, site_waiter_count) = site.map_or((0, 0), |site| {
            (site.waiter_count_of(key), site.waiter_count())
        });
        if network_waiter_count >= self.limits.per_network {
            return Err(NetworkQueueFull);
        }
        if site_waiter_count >= self.limits.per_site {
            return self
                .displace(site_of(key), Some(network_waiter_count))
                .map(Some);
        }
        if self.waiter_count < self.limits.total {
            return Ok(None);
        }
        let largest_or_none = self.sites.iter().max_by_key(|site| site.waiter_count());
        let largest_site = largest_or_none.ok_or(NetworkQueueFull)?;
        let (largest_key, largest_count) = (largest_site.key, largest_site.waiter_count());
        if largest_count > site_waiter_count.saturating_add(1) {
            return self.displace(largest_key, None).map(Some);
        }
        self.displace(site_of(key), Some(network_waiter_count))
            .map(Some)
    }

    /// Removes and returns the newest waiter of the largest network in a site, that is, the network with the most
    /// waiters. If `network_waiter_count` is given, fails unless the largest network has at least two waiters more than
    /// this number.
    fn displace(
        &mut self,
        site_key: QueueKey,
        network_waiter_count: Option<usize>,
    ) -> Result<T, NetworkQueueFull> {
        let site = self.site_mut(site_key).ok_or(NetworkQueueFull)?;
        let networks = site.networks.iter_mut();
        let largest_or_none = networks.max_by_key(|network| network.waiters.len());
        let largest_network = largest_or_none.ok_or(NetworkQueueFull)?;
        if network_waiter_count.is_some_and(|waiter_count| {
            largest_network.waiters.len() <= waiter_count.saturating_add(1)
        }) {
            return Err(NetworkQueueFull);
        }
        let key = largest_network.key;
        let (_, waiter) = largest_network.waiters.pop_back().ok_or(NetworkQueueFull)?;
        self.record_removal(key);
        Ok(waiter)
    }

    /// Subtracts one from the number of waiters, and removes the network and the site if they have no waiters left.
    fn record_removal(&mut self, key: QueueKey) {
        if let Some(site) = self.site_mut(site_of(key)) {
            site.networks.retain(|network| !network.waiters.is_empty());
        }
        self.sites.retain(|site| !site.networks.is_empty());
        self.waiter_count = self.waiter_count.saturating_sub(1);
    }

    fn site_mut(&mut self, key: QueueKey) -> Option<&mut Site<T>> {
        self.sites.iter_mut().find(|site| site.key == key)
    }
}

impl<T> Site<T> {
    fn new(key: QueueKey, entry: (WaiterId, T)) -> Self {
        Self {
            key: site_of(key),
            networks: [NetworkWaiters::new(key, entry)].into(),
        }
    }

    fn push(&mut self, key: QueueKey, entry: (WaiterId, T)) {
        match self.network_mut(key) {
            Some(network) => network.waiters.push_back(entry),
            None => self.networks.push_back(NetworkWaiters::new(key, entry)),
        }
    }

    fn pop(&mut self) -> Option<T> {
        let mut network = self.networks.pop_front()?;
        let first_entry = network.waiters.pop_front();
        if !network.waiters.is_empty() {
            self.networks.push_back(network);
        }
        first_entry.map(|(_, waiter)| waiter)
    }

    fn network_mut(&mut self, key: QueueKey) -> Option<&mut NetworkWaiters<T>> {
        self.networks.iter_mut().find(|network| network.key == key)
    }

    fn waiter_count(&self) -> usize {
        let networks = self.networks.iter();
        networks.map(|network| network.waiters.len()).sum()
    }

    fn waiter_count_of(&self, key: QueueKey) -> usize {
        let mut networks = self.networks.iter();
        let network = networks.find(|network| network.key == key);
        network.map_or(0, |network| network.waiters.len())
    }
}

impl<T> NetworkWaiters<T> {
    fn new(key: QueueKey, entry: (WaiterId, T)) -> Self {
        Self {
            key,
            waiters: [entry].into(),
        }
    }
}

/// Returns the key of the site to which a network belongs.
fn site_of(key: QueueKey) -> QueueKey {
    key.map(Network::site)
}

#[cfg(test)]
mod tests;
