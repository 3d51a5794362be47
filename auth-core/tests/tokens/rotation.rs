//! The three steps of a rotation, in every order: no valid token is refused at any moment.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use auth_core::refresh::{RefreshToken, RefreshTokens};
use auth_core::{Keyring, TokenIssuer, TokenVerifier};

use crate::world::{
    AUDIENCE, ISSUER, OTHER_SECRET as NEW, SECRET as OLD, SUBJECT, now, secret, verifier,
};

const SERVICE: &str = "reports";
const NODES: usize = 3;
const ACCESS_TTL: Duration = Duration::from_secs(900);
/// How long a refresh token is good; here not much longer, so that the world stays small.
const SESSION_TTL: Duration = Duration::from_secs(1800);
const LEEWAY: Duration = Duration::from_secs(5);
/// Between one node's step and the next.
const PAUSE: Duration = Duration::from_secs(450);

/// How far a node has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Before,
    Added,
    Switched,
    Dropped,
}

impl Step {
    /// Current, then previous.
    const fn secrets(self) -> &'static [&'static str] {
        match self {
            Self::Before => &[OLD],
            Self::Added => &[OLD, NEW],
            Self::Switched => &[NEW, OLD],
            Self::Dropped => &[NEW],
        }
    }

    fn keyring(self) -> Keyring {
        let mut secrets = self.secrets().iter().map(|text| secret(text));
        Keyring::new(secrets.next().unwrap()).with_previous(secrets)
    }
}

/// A server, and beside it a service with the keys derived for it; both are rotated at once.
struct Node {
    step: Step,
    issuer: TokenIssuer,
    verifier: TokenVerifier,
    refresh_tokens: RefreshTokens,
    to_service: TokenIssuer,
    service: TokenVerifier,
}

impl Node {
    fn at(step: Step) -> Self {
        let keyring = step.keyring();
        let derived = keyring.for_audience(SERVICE).unwrap();
        // The service has texts of its own, not the server's secrets.
        let own = step.secrets().iter();
        let mut own = own.map(|text| secret(text).for_audience(SERVICE).unwrap());
        let own = Keyring::new(own.next().unwrap()).with_previous(own);
        Self {
            step,
            issuer: TokenIssuer::new(keyring.clone(), ISSUER, AUDIENCE, ACCESS_TTL).unwrap(),
            verifier: verifier(keyring.clone()),
            refresh_tokens: RefreshTokens::new(&keyring),
            to_service: TokenIssuer::new(derived, ISSUER, SERVICE, ACCESS_TTL).unwrap(),
            service: TokenVerifier::new(own, ISSUER, SERVICE).unwrap(),
        }
    }
}

/// Tokens that were issued at the same time, and until when each kind is good.
struct Issued {
    access: String,
    to_service: String,
    refresh: String,
    at: SystemTime,
}

#[derive(Default)]
struct Tally {
    verified: u32,
    refused: u32,
}

struct World {
    now: SystemTime,
    nodes: Vec<Node>,
    issued: Vec<Issued>,
    tally: Tally,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            now: now(),
            nodes: (0..NODES).map(|_| Node::at(Step::Before)).collect(),
            issued: Vec::new(),
            tally: Tally::default(),
        };
        world.live();
        world
    }

    fn take(&mut self, node: usize, step: Step) {
        self.nodes[node] = Node::at(step);
        self.live();
        self.now += PAUSE;
    }

    fn take_all(&mut self, order: [usize; NODES], step: Step) {
        for node in order {
            self.take(node, step);
        }
    }

    /// Every node issues, then every node reads all that is still good.
    fn live(&mut self) {
        let at = self.now;
        for node in &self.nodes {
            self.issued.push(Issued {
                access: node.issuer.issue(&SUBJECT, at).unwrap().token,
                to_service: node.to_service.issue(&SUBJECT, at).unwrap().token,
                refresh: node.refresh_tokens.write(RefreshToken {
                    session_id: [7; 16],
                    counter: 0,
                }),
                at,
            });
        }
        self.issued.retain(|issued| at < issued.at + SESSION_TTL);
        for issued in &self.issued {
            for node in &self.nodes {
                let mut count = |accepted: bool| {
                    self.tally.verified += 1;
                    self.tally.refused += u32::from(!accepted);
                };
                count(node.refresh_tokens.read(&issued.refresh).is_ok());
                if at < issued.at + ACCESS_TTL + LEEWAY {
                    count(node.verifier.verify(&issued.access, at).is_ok());
                    count(node.service.verify(&issued.to_service, at).is_ok());
                }
            }
        }
    }

    /// Until the last token of the old secret is over; everybody goes on meanwhile.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now = end.min(self.now + PAUSE);
            self.live();
        }
    }
}

fn orders() -> Vec<[usize; NODES]> {
    let mut orders = Vec::new();
    for number in 0..NODES.pow(3) {
        let order = [number % 3, number / 3 % 3, number / 9];
        if order.iter().collect::<HashSet<_>>().len() == NODES {
            orders.push(order);
        }
    }
    assert_eq!(orders.len(), 6);
    orders
}

#[test]
fn rotated_in_any_order_nobody_refuses_a_valid_token() {
    for first in orders() {
        for second in orders() {
            for third in orders() {
                let mut world = World::new();
                world.take_all(first, Step::Added);
                world.take_all(second, Step::Switched);
                world.wait(SESSION_TTL);
                world.take_all(third, Step::Dropped);
                let steps: HashSet<_> = world.nodes.iter().map(|node| node.step).collect();
                assert_eq!(steps, HashSet::from([Step::Dropped]));
                assert!(world.tally.verified > 500);
                assert_eq!(world.tally.refused, 0, "{first:?} {second:?} {third:?}");
            }
        }
    }
}

/// The proof above would notice: each of these leaves something out.
#[test]
fn a_rotation_that_skips_a_step_refuses_valid_tokens() {
    let order = [0, 1, 2];
    // Switched before everybody knows the new secret.
    let mut hasty = World::new();
    hasty.take_all(order, Step::Switched);
    assert!(hasty.tally.refused > 0);

    // One node switches while another has not added yet.
    let mut uneven = World::new();
    uneven.take(0, Step::Added);
    uneven.take(0, Step::Switched);
    assert!(uneven.tally.refused > 0);

    // Dropped while tokens of the old secret are still good.
    for time in [Duration::ZERO, PAUSE] {
        let mut early = World::new();
        early.take_all(order, Step::Added);
        early.take_all(order, Step::Switched);
        assert_eq!(early.tally.refused, 0);
        early.wait(time);
        early.take(0, Step::Dropped);
        assert!(early.tally.refused > 0, "{time:?}");
    }
}
