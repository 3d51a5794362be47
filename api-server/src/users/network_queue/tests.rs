//! Tests the order in which networks are served, and which networks are rejected.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, prop_oneof, proptest};

use crate::network::Network;
use crate::users::network_queue::{
    NetworkQueue, NetworkQueueFull, QueueKey, WaiterId, WaiterLimits, site_of,
};

const LIMITS: WaiterLimits = WaiterLimits::new(1024, 56);

/// Returns the queue key of the IPv4 address with this number.
#[expect(clippy::unnecessary_wraps, reason = "a queue key is an `Option`")]
fn v4(number: usize) -> QueueKey {
    let address_bits = u32::try_from(number).unwrap();
    Some(Network::V4(address_bits.into()))
}

/// Returns the queue key of a subnet (an IPv6 /64) of a site (an IPv6 /48).
#[expect(clippy::unnecessary_wraps, reason = "a queue key is an `Option`")]
fn v6(site: u64, subnet: u64) -> QueueKey {
    Some(Network::V6Subnet(site << 16 | subnet))
}

/// Returns a queue in which each waiter is the key of its network.
fn queue() -> NetworkQueue<QueueKey> {
    NetworkQueue::new(LIMITS)
}

/// Adds as many waiters of each network as the queue accepts, up to `attempts`.
fn push_many(
    queue: &mut NetworkQueue<QueueKey>,
    keys: impl IntoIterator<Item = QueueKey>,
    attempts: usize,
) {
    for key in keys {
        for _ in 0..attempts {
            let _full = queue.push(key, key);
        }
    }
}

/// Serves waiters until a waiter of this network is served. Returns the position of that waiter, counted from 1.
fn position_of(queue: &mut NetworkQueue<QueueKey>, key: QueueKey) -> usize {
    let mut position = 1;
    while queue.pop().expect("the network waits") != key {
        position += 1;
    }
    position
}

#[test]
fn a_new_network_is_served_after_one_waiter_of_each_waiting_network() {
    for network_count in [0, 1, 2, 49, 50, 51, 500] {
        let mut queue = queue();
        push_many(&mut queue, (0..network_count).map(v4), 100);
        let new_network = v4(9_999);
        queue.push(new_network, new_network).unwrap();
        assert_eq!(position_of(&mut queue, new_network), network_count + 1);
    }
}

#[test]
fn each_of_many_waiters_is_served_within_one_round() {
    let mut queue = queue();
    push_many(&mut queue, (0..50).map(v4), 100);
    for _ in 0..20 {
        queue.push(v4(100), v4(100)).unwrap();
        assert!(position_of(&mut queue, v4(100)) <= 51);
        push_many(&mut queue, (0..50).map(v4), 100);
    }
}

#[test]
fn a_site_of_many_networks_is_served_as_often_as_one_network() {
    let mut queue = queue();
    push_many(&mut queue, (0..1000).map(|subnet| v6(7, subnet)), 1);
    assert_eq!(queue.waiter_count, LIMITS.per_site);
    queue.push(v4(1), v4(1)).unwrap();
    assert_eq!(position_of(&mut queue, v4(1)), 2);
    queue.push(v6(8, 0), v6(8, 0)).unwrap();
    assert_eq!(position_of(&mut queue, v6(8, 0)), 2);
}

#[test]
fn a_network_is_rejected_at_its_limit_until_one_of_its_waiters_is_served() {
    for (key, limit) in [(v4(1), 56), (v6(1, 1), 56), (None, 56)] {
        let mut queue = queue();
        for _ in 0..limit {
            assert!(queue.push(key, key).unwrap().1.is_none());
        }
        assert_eq!(queue.push(key, key), Err(NetworkQueueFull));
        queue.pop().unwrap();
        assert!(queue.push(key, key).is_ok());
        assert_eq!(queue.push(key, key), Err(NetworkQueueFull));
    }
}

#[test]
fn a_new_network_of_a_full_site_displaces_a_waiter_of_the_largest_network() {
    let mut queue = queue();
    push_many(&mut queue, (0..4).map(|subnet| v6(7, subnet)), 56);
    assert_eq!(queue.waiter_count, LIMITS.per_site);
    let (_, displaced_waiter) = queue.push(v6(7, 9), v6(7, 9)).unwrap();
    assert!(displaced_waiter.is_some());
    assert_eq!(queue.waiter_count, LIMITS.per_site);
    assert!(queue.push(v4(1), v4(1)).unwrap().1.is_none());
}

#[test]
fn a_new_network_displaces_the_newest_waiter_of_the_largest_site_when_the_queue_is_full() {
    let mut queue = NetworkQueue::new(LIMITS);
    for number in 0..LIMITS.total {
        queue.push(v4(number % 20), number).unwrap();
    }
    let (_, displaced_waiter) = queue.push(v4(99), 9_999).unwrap();
    // The 20 networks have 51 or 52 waiters each. A network with 52 loses its newest waiter, which is among the last 20
    // waiters that were added, because the networks were added in rotation.
    assert!(displaced_waiter.is_some_and(|number| number >= LIMITS.total - 20));
    assert_eq!(queue.waiter_count, LIMITS.total);
}

#[test]
fn networks_with_equally_many_waiters_are_not_displaced() {
    let mut queue = queue();
    push_many(&mut queue, (0..1024).map(v4), 1);
    assert_eq!(queue.push(v4(5_000), v4(5_000)), Err(NetworkQueueFull));
    queue.pop().unwrap();
    assert!(queue.push(v4(5_000), v4(5_000)).is_ok());

    let mut queue_of_pairs = self::queue();
    push_many(&mut queue_of_pairs, (0..512).map(v4), 2);
    assert_eq!(queue_of_pairs.push(v4(3), v4(3)), Err(NetworkQueueFull));
    assert!(queue_of_pairs.push(v4(5_000), v4(5_000)).is_ok());
    assert_eq!(
        queue_of_pairs.push(v4(5_000), v4(5_000)),
        Err(NetworkQueueFull)
    );
}

#[test]
fn a_removed_waiter_is_not_counted_and_not_served() {
    let mut queue = queue();
    let (waiter_id, _) = queue.push(v4(1), v4(1)).unwrap();
    queue.push(v4(2), v4(2)).unwrap();
    assert!(queue.remove(v4(2), waiter_id).is_none());
    assert_eq!(queue.remove(v4(1), waiter_id), Some(v4(1)));
    assert_eq!(queue.remove(v4(1), waiter_id), None);
    assert_eq!(queue.pop(), Some(v4(2)));
    assert_eq!(queue.pop(), None);
    assert_eq!(queue.waiter_count, 0);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Push(QueueKey),
    /// Removes the waiter at this index of the model, if the model has so many waiters.
    Remove(usize),
    Pop,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = prop_oneof![
        (0..6_usize).prop_map(v4),
        (0..2_u64, 0..4_u64).prop_map(|(site, subnet)| v6(site, subnet)),
        Just(None),
    ];
    let step = prop_oneof![
        4 => key.prop_map(Step::Push),
        1 => (0..100_usize).prop_map(Step::Remove),
        2 => Just(Step::Pop),
    ];
    vec(step, 0..300)
}

struct ModelWaiter {
    /// The number of the step that added the waiter.
    number: u64,
    key: QueueKey,
    id: WaiterId,
}

/// A simple model of the queue, with which a random test compares the queue.
#[derive(Default)]
struct Model {
    waiters: Vec<ModelWaiter>,
    /// For each waiting site, how many times each other site was served since the waiting site began to wait or was
    /// last served.
    served_since: HashMap<QueueKey, HashMap<QueueKey, usize>>,
}

impl Model {
    /// Returns the site of each waiter.
    fn sites(&self) -> Vec<QueueKey> {
        let waiters = self.waiters.iter();
        waiters.map(|waiter| site_of(waiter.key)).collect()
    }

    /// Removes the counts of sites that have no waiters left.
    fn forget_absent_sites(&mut self) {
        let sites = self.sites();
        self.served_since.retain(|site, _| sites.contains(site));
    }

    fn count_waiters(&self, predicate: impl Fn(QueueKey) -> bool) -> usize {
        let waiters = self.waiters.iter();
        waiters.filter(|waiter| predicate(waiter.key)).count()
    }

    /// Removes the served waiter. Panics if an older waiter of the same network still waits, or if the site of the
    /// waiter was served twice while another site waited.
    fn serve(&mut self, number: u64) {
        let mut waiters = self.waiters.iter();
        let index = waiters.position(|waiter| waiter.number == number);
        let ModelWaiter { key, .. } = self
            .waiters
            .remove(index.expect("the waiter is in the model"));
        let mut remaining_waiters = self.waiters.iter();
        let has_older_waiter =
            remaining_waiters.any(|waiter| waiter.number < number && waiter.key == key);
        assert!(
            !has_older_waiter,
            "the waiters of a network are served in order"
        );
        let site = site_of(key);
        self.served_since.remove(&site);
        self.forget_absent_sites();
        for other_site in self
            .sites()
            .into_iter()
            .filter(|other_site| *other_site != site)
        {
            self.served_since
                .entry(other_site)
                .or_default()
                .entry(site)
                .or_default();
        }
        for (waiting_site, served_sites) in &mut self.served_since {
            if let Some(times) = served_sites.get_mut(&site) {
                *times += 1;
                assert!(
                    *times <= 1,
                    "{site:?} was served twice while {waiting_site:?} waited"
                );
            }
        }
    }
}

/// Limits that a random test reaches often.
const SMALL_LIMITS: WaiterLimits = WaiterLimits {
    per_network: 4,
    per_site: 7,
    total: 16,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn networks_are_served_fairly_and_the_queue_is_bounded(steps in steps()) {
        let (mut queue, mut model) = (NetworkQueue::new(SMALL_LIMITS), Model::default());
        for (number, step) in (0_u64..).zip(steps) {
            match step {
                Step::Push(key) => {
                    if let Ok((id, displaced_waiter)) = queue.push(key, number) {
                        let network_waiter_count = model.count_waiters(|other_key| other_key == key);
                        model.waiters.retain(|waiter| {
                            let is_displaced = Some(waiter.number) == displaced_waiter;
                            assert!(!is_displaced || waiter.key != key);
                            !is_displaced
                        });
                        assert!(network_waiter_count < SMALL_LIMITS.per_network);
                        model.waiters.push(ModelWaiter { number, key, id });
                    }
                    else {
                        let network_waiter_count = model.count_waiters(|other_key| other_key == key);
                        let site_waiter_count = model.count_waiters(|other_key| site_of(other_key) == site_of(key));
                        assert!(
                            network_waiter_count == SMALL_LIMITS.per_network
                                || site_waiter_count == SMALL_LIMITS.per_site
                                || model.waiters.len() == SMALL_LIMITS.total
                        );
                    }
                }
                Step::Remove(index) if index < model.waiters.len() => {
                    let ModelWaiter { number, key, id } = model.waiters.remove(index);
                    assert_eq!(queue.remove(key, id), Some(number));
                    model.forget_absent_sites();
                }
                Step::Remove(_) => {}
                Step::Pop => match queue.pop() {
                    Some(number) => model.serve(number),
                    None => assert!(model.waiters.is_empty()),
                },
            }
            assert_eq!(queue.waiter_count, model.waiters.len());
            assert!(queue.waiter_count <= SMALL_LIMITS.total);
            for site in &queue.sites {
                assert!(site.waiter_count() <= SMALL_LIMITS.per_site && !site.networks.is_empty());
            }
        }
    }
}
