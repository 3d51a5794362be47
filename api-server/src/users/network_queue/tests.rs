//! Who is served when, and who is turned away.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, prop_oneof, proptest};

use crate::network::Network;
use crate::users::network_queue::{NetworkQueue, NoRoom, QueueKey, Ticket, WaiterLimits, site_of};

const LIMITS: WaiterLimits = WaiterLimits {
    per_network: 56,
    per_site: 224,
    in_all: 1024,
};

#[expect(clippy::unnecessary_wraps, reason = "a key may be no network")]
fn v4(number: usize) -> QueueKey {
    let number = u32::try_from(number).unwrap();
    Some(Network::V4(number.into()))
}

#[expect(clippy::unnecessary_wraps, reason = "a key may be no network")]
fn v6(site: u64, subnet: u64) -> QueueKey {
    Some(Network::V6Subnet(site << 16 | subnet))
}

/// A line whose waiters are their own networks.
fn queue() -> NetworkQueue<QueueKey> {
    NetworkQueue::new(LIMITS)
}

fn storm(
    queue: &mut NetworkQueue<QueueKey>,
    keys: impl IntoIterator<Item = QueueKey>,
    attempts: usize,
) {
    for key in keys {
        for _ in 0..attempts {
            let _full = queue.join(key, key);
        }
    }
}

/// Which turn, from one, is this network's first.
fn turn_of(queue: &mut NetworkQueue<QueueKey>, key: QueueKey) -> usize {
    let mut turns = 1;
    while queue.next().expect("it waits") != key {
        turns += 1;
    }
    turns
}

#[test]
fn a_new_network_waits_for_one_turn_of_each_network_that_waits() {
    for storming in [0, 1, 2, 49, 50, 51, 500] {
        let mut queue = queue();
        storm(&mut queue, (0..storming).map(v4), 100);
        let new_network = v4(9_999);
        queue.join(new_network, new_network).unwrap();
        assert_eq!(turn_of(&mut queue, new_network), storming + 1);
    }
}

#[test]
fn every_login_of_a_row_is_served_within_a_round() {
    let mut queue = queue();
    storm(&mut queue, (0..50).map(v4), 100);
    for _ in 0..20 {
        queue.join(v4(100), v4(100)).unwrap();
        assert!(turn_of(&mut queue, v4(100)) <= 51);
        storm(&mut queue, (0..50).map(v4), 100);
    }
}

#[test]
fn a_site_of_many_networks_gets_the_turns_of_one() {
    let mut queue = queue();
    storm(&mut queue, (0..1000).map(|subnet| v6(7, subnet)), 1);
    assert_eq!(queue.waiting, LIMITS.per_site);
    queue.join(v4(1), v4(1)).unwrap();
    assert_eq!(turn_of(&mut queue, v4(1)), 2);
    queue.join(v6(8, 0), v6(8, 0)).unwrap();
    assert_eq!(turn_of(&mut queue, v6(8, 0)), 2);
}

#[test]
fn the_places_of_a_network_end_at_their_number_and_open_again() {
    for (key, most) in [(v4(1), 56), (v6(1, 1), 56), (None, 56)] {
        let mut queue = queue();
        for _ in 0..most {
            assert!(queue.join(key, key).unwrap().1.is_none());
        }
        assert_eq!(queue.join(key, key), Err(NoRoom));
        queue.next().unwrap();
        assert!(queue.join(key, key).is_ok());
        assert_eq!(queue.join(key, key), Err(NoRoom));
    }
}

#[test]
fn a_neighbour_in_a_full_site_gets_a_place_of_the_largest() {
    let mut queue = queue();
    storm(&mut queue, (0..4).map(|subnet| v6(7, subnet)), 56);
    assert_eq!(queue.waiting, LIMITS.per_site);
    let (_, displaced) = queue.join(v6(7, 9), v6(7, 9)).unwrap();
    assert!(displaced.is_some());
    assert_eq!(queue.waiting, LIMITS.per_site);
    assert!(queue.join(v4(1), v4(1)).unwrap().1.is_none());
}

#[test]
fn a_new_network_in_front_of_a_full_line_gets_the_newest_place_of_the_largest_site() {
    let mut queue = NetworkQueue::new(LIMITS);
    for number in 0..LIMITS.in_all {
        queue.join(v4(number % 20), number).unwrap();
    }
    let (_, displaced) = queue.join(v4(99), 9_999).unwrap();
    // Twenty networks hold 51 or 52 places; only 52 is the most, and its newest came last of its network.
    assert!(displaced.is_some_and(|number| number >= LIMITS.in_all - 20));
    assert_eq!(queue.waiting, LIMITS.in_all);
}

#[test]
fn networks_with_equal_shares_are_not_displaced() {
    let mut queue = queue();
    storm(&mut queue, (0..1024).map(v4), 1);
    assert_eq!(queue.join(v4(5_000), v4(5_000)), Err(NoRoom));
    queue.next().unwrap();
    assert!(queue.join(v4(5_000), v4(5_000)).is_ok());

    let mut queue = self::queue();
    storm(&mut queue, (0..512).map(v4), 2);
    assert_eq!(queue.join(v4(3), v4(3)), Err(NoRoom));
    assert!(queue.join(v4(5_000), v4(5_000)).is_ok());
    assert_eq!(queue.join(v4(5_000), v4(5_000)), Err(NoRoom));
}

#[test]
fn a_waiter_that_leaves_gives_its_place_back_and_costs_no_turn() {
    let mut queue = queue();
    let (ticket, _) = queue.join(v4(1), v4(1)).unwrap();
    queue.join(v4(2), v4(2)).unwrap();
    assert!(queue.leave(v4(2), ticket).is_none());
    assert_eq!(queue.leave(v4(1), ticket), Some(v4(1)));
    assert_eq!(queue.leave(v4(1), ticket), None);
    assert_eq!(queue.next(), Some(v4(2)));
    assert_eq!(queue.next(), None);
    assert_eq!(queue.waiting, 0);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Join(QueueKey),
    Leave(usize),
    Next,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = prop_oneof![
        (0..6_usize).prop_map(v4),
        (0..2_u64, 0..4_u64).prop_map(|(site, subnet)| v6(site, subnet)),
        Just(None),
    ];
    let step = prop_oneof![
        4 => key.prop_map(Step::Join),
        1 => (0..100_usize).prop_map(Step::Leave),
        2 => Just(Step::Next),
    ];
    vec(step, 0..300)
}

/// What waits, by the rules: each with the turns it may at most still have to wait for.
#[derive(Default)]
struct Model {
    waiting: Vec<(u64, QueueKey, Ticket)>,
    /// How many other sites may be served before a site that waits is.
    served_since: HashMap<QueueKey, HashMap<QueueKey, usize>>,
}

impl Model {
    fn count(&self, matches: impl Fn(QueueKey) -> bool) -> usize {
        let waiting = self.waiting.iter();
        waiting.filter(|(_, key, _)| matches(*key)).count()
    }

    /// No site is served twice while another waits for its turn.
    fn serve(&mut self, number: u64) {
        let at = self.waiting.iter().position(|(it, ..)| *it == number);
        let (_, key, _) = self.waiting.remove(at.expect("it waits"));
        let older = self
            .waiting
            .iter()
            .any(|(it, of, _)| *it < number && *of == key);
        assert!(!older, "a network's attempts wait behind its own");
        let site = site_of(key);
        self.served_since.remove(&site);
        let waiting: Vec<_> = self.waiting.iter().map(|(_, of, _)| site_of(*of)).collect();
        self.served_since.retain(|other, _| waiting.contains(other));
        for other in waiting.into_iter().filter(|other| *other != site) {
            self.served_since
                .entry(other)
                .or_default()
                .entry(site)
                .or_default();
        }
        for (other, served) in &mut self.served_since {
            if let Some(times) = served.get_mut(&site) {
                *times += 1;
                assert!(
                    *times <= 1,
                    "{site:?} was served twice while {other:?} waited"
                );
            }
        }
    }
}

const SMALL: WaiterLimits = WaiterLimits {
    per_network: 4,
    per_site: 7,
    in_all: 16,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn turns_are_fair_and_places_are_bounded(steps in steps()) {
        let (mut queue, mut model) = (NetworkQueue::new(SMALL), Model::default());
        for (number, step) in (0_u64..).zip(steps) {
            match step {
                Step::Join(key) => {
                    if let Ok((ticket, displaced)) = queue.join(key, number) {
                        let own = model.count(|it| it == key);
                        model.waiting.retain(|(it, of, _)| {
                            let gives_way = Some(*it) == displaced;
                            assert!(!gives_way || *of != key);
                            !gives_way
                        });
                        assert!(own < SMALL.per_network);
                        model.waiting.push((number, key, ticket));
                    }
                    else {
                        let own = model.count(|it| it == key);
                        let of_site = model.count(|it| site_of(it) == site_of(key));
                        assert!(
                            own == SMALL.per_network
                                || of_site == SMALL.per_site
                                || model.waiting.len() == SMALL.in_all
                        );
                    }
                }
                Step::Leave(at) if at < model.waiting.len() => {
                    let (left, key, ticket) = model.waiting.remove(at);
                    assert_eq!(queue.leave(key, ticket), Some(left));
                    let sites: Vec<_> = model.waiting.iter().map(|(_, of, _)| site_of(*of)).collect();
                    model.served_since.retain(|site, _| sites.contains(site));
                }
                Step::Leave(_) => {}
                Step::Next => match queue.next() {
                    Some(number) => model.serve(number),
                    None => assert!(model.waiting.is_empty()),
                },
            }
            assert_eq!(queue.waiting, model.waiting.len());
            assert!(queue.waiting <= SMALL.in_all);
            assert!(queue.sites.iter().all(|site| site.len() <= SMALL.per_site && !site.queues.is_empty()));
        }
    }
}
