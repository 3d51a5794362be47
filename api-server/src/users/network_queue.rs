//! The line for hashing: turns go round the networks that wait. Holds who waits and decides who is next; knows neither
//! threads nor time.
//!
//! Each network's attempts wait behind its own. The ring has one seat for each site (an IPv4 address or an IPv6 /48), in
//! which the networks of the site take turns, so that a /48 with its 65 536 networks gets no more turns than one address.

use std::collections::VecDeque;

use crate::network::Network;

/// Who waits: a network, or all callers that are not counted as one together.
pub(crate) type QueueKey = Option<Network>;

/// How many may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WaiterLimits {
    pub(crate) per_network: usize,
    /// Of one IPv6 /48.
    pub(crate) per_site: usize,
    pub(crate) in_all: usize,
}

/// Names one waiter, so that it can leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// No place is left, and no network has so many more than this one that it must give one up.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// The waiters, each with what wakes it.
pub(crate) struct NetworkQueue<T> {
    limits: WaiterLimits,
    /// In the order of their next turns.
    sites: VecDeque<Site<T>>,
    waiting: usize,
    last_ticket: u64,
}

/// Never empty.
struct Site<T> {
    key: QueueKey,
    queues: VecDeque<NetworkWaiters<T>>,
}

/// Never empty.
struct NetworkWaiters<T> {
    key: QueueKey,
    waiters: VecDeque<(Ticket, T)>,
}

impl<T> NetworkQueue<T> {
    pub(crate) fn new(limits: WaiterLimits) -> Self {
        Self {
            limits,
            sites: VecDeque::new(),
            waiting: 0,
            last_ticket: 0,
        }
    }

    /// Takes a place behind those of the same network. When the line is full, a network with more places gives one up:
    /// its newest waiter is returned.
    pub(crate) fn join(&mut self, key: QueueKey, waiter: T) -> Result<(Ticket, Option<T>), NoRoom> {
        let displaced = self.make_room(key)?;
        self.last_ticket = self.last_ticket.wrapping_add(1);
        let ticket = Ticket(self.last_ticket);
        let entry = (ticket, waiter);
        match self.site_mut(site_of(key)) {
            Some(site) => site.join(key, entry),
            None => self.sites.push_back(Site::with(key, entry)),
        }
        self.waiting = self.waiting.saturating_add(1);
        Ok((ticket, displaced))
    }

    /// Takes the next waiter out of the line. Its site and its network go to the end of their rings.
    pub(crate) fn next(&mut self) -> Option<T> {
        let mut site = self.sites.pop_front()?;
        let waiter = site.next();
        if !site.queues.is_empty() {
            self.sites.push_back(site);
        }
        self.waiting = self.waiting.saturating_sub(1);
        waiter
    }

    /// Gives a place back; nothing happens if the waiter is no longer in the line.
    pub(crate) fn leave(&mut self, key: QueueKey, ticket: Ticket) -> Option<T> {
        let queue = self.site_mut(site_of(key))?.queue_mut(key)?;
        let at = queue.waiters.iter().position(|(it, _)| *it == ticket)?;
        let (_, waiter) = queue.waiters.remove(at)?;
        self.remove_empty(key);
        Some(waiter)
    }

    fn make_room(&mut self, key: QueueKey) -> Result<Option<T>, NoRoom> {
        let site = self.site_mut(site_of(key));
        let (own, of_site) = site.map_or((0, 0), |site| (site.len_of(key), site.len()));
        if own >= self.limits.per_network {
            return Err(NoRoom);
        }
        if of_site >= self.limits.per_site {
            return self.displace(site_of(key), Some(own)).map(Some);
        }
        if self.waiting < self.limits.in_all {
            return Ok(None);
        }
        let largest = self.sites.iter().max_by_key(|site| site.len());
        let largest = largest.ok_or(NoRoom)?;
        let (other, in_other) = (largest.key, largest.len());
        if in_other > of_site.saturating_add(1) {
            return self.displace(other, None).map(Some);
        }
        self.displace(site_of(key), Some(own)).map(Some)
    }

    /// Takes the newest waiter of the largest network in a site. Within one's own site only from a network that keeps as
    /// many places as one's own then has.
    fn displace(&mut self, site: QueueKey, own: Option<usize>) -> Result<T, NoRoom> {
        let queues = &mut self.site_mut(site).ok_or(NoRoom)?.queues;
        let largest = queues.iter_mut().max_by_key(|queue| queue.waiters.len());
        let largest = largest.ok_or(NoRoom)?;
        if own.is_some_and(|own| largest.waiters.len() <= own.saturating_add(1)) {
            return Err(NoRoom);
        }
        let key = largest.key;
        let (_, waiter) = largest.waiters.pop_back().ok_or(NoRoom)?;
        self.remove_empty(key);
        Ok(waiter)
    }

    /// One waiter fewer; what became empty is forgotten.
    fn remove_empty(&mut self, key: QueueKey) {
        if let Some(site) = self.site_mut(site_of(key)) {
            site.queues.retain(|queue| !queue.waiters.is_empty());
        }
        self.sites.retain(|site| !site.queues.is_empty());
        self.waiting = self.waiting.saturating_sub(1);
    }

    fn site_mut(&mut self, key: QueueKey) -> Option<&mut Site<T>> {
        self.sites.iter_mut().find(|site| site.key == key)
    }
}

impl<T> Site<T> {
    fn with(key: QueueKey, entry: (Ticket, T)) -> Self {
        Self {
            key: site_of(key),
            queues: [NetworkWaiters::with(key, entry)].into(),
        }
    }

    fn join(&mut self, key: QueueKey, entry: (Ticket, T)) {
        match self.queue_mut(key) {
            Some(queue) => queue.waiters.push_back(entry),
            None => self.queues.push_back(NetworkWaiters::with(key, entry)),
        }
    }

    fn next(&mut self) -> Option<T> {
        let mut queue = self.queues.pop_front()?;
        let next = queue.waiters.pop_front();
        if !queue.waiters.is_empty() {
            self.queues.push_back(queue);
        }
        next.map(|(_, waiter)| waiter)
    }

    fn queue_mut(&mut self, key: QueueKey) -> Option<&mut NetworkWaiters<T>> {
        self.queues.iter_mut().find(|queue| queue.key == key)
    }

    fn len(&self) -> usize {
        self.queues.iter().map(|queue| queue.waiters.len()).sum()
    }

    fn len_of(&self, key: QueueKey) -> usize {
        let queue = self.queues.iter().find(|queue| queue.key == key);
        queue.map_or(0, |queue| queue.waiters.len())
    }
}

impl<T> NetworkWaiters<T> {
    fn with(key: QueueKey, entry: (Ticket, T)) -> Self {
        Self {
            key,
            waiters: [entry].into(),
        }
    }
}

fn site_of(key: QueueKey) -> QueueKey {
    key.map(Network::site)
}

#[cfg(test)]
mod tests;
