//! The three steps of a rotation, in every order: no valid token is rejected at any time.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use auth_core::refresh::{RefreshToken, RefreshTokens};
use auth_core::{Keyring, TokenIssuer, TokenVerifier};

use crate::fixtures::{
    AUDIENCE, ISSUER, OTHER_SECRET as NEW, SECRET as OLD, SUBJECT, now, secret, verifier,
};

const SERVICE: &str = "reports";
const NODES: usize = 3;
const ACCESS_TTL: Duration = Duration::from_secs(900);
/// The lifetime of a refresh token; short, so that the simulation stays small.
const SESSION_TTL: Duration = Duration::from_secs(1800);
const LEEWAY: Duration = Duration::from_secs(5);
/// The time between the steps of two nodes.
const STEP_INTERVAL: Duration = Duration::from_secs(450);

/// The progress of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Before,
    Added,
    Switched,
    Dropped,
}

impl Step {
    /// Returns the current secret, then the previous secrets.
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

/// A server, and a service with the keys derived for it. Both are rotated together.
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
        // The service has derived secrets, not the server's secrets.
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

/// Tokens that a node issued at the same time.
struct Issued {
    access: String,
    to_service: String,
    refresh: String,
    at: SystemTime,
}

#[derive(Default)]
struct Counts {
    verified: u32,
    rejected: u32,
}

struct Simulation {
    now: SystemTime,
    nodes: Vec<Node>,
    issued: Vec<Issued>,
    counts: Counts,
}

impl Simulation {
    fn new() -> Self {
        let mut simulation = Self {
            now: now(),
            nodes: (0..NODES).map(|_| Node::at(Step::Before)).collect(),
            issued: Vec::new(),
            counts: Counts::default(),
        };
        simulation.exchange_tokens();
        simulation
    }

    /// Moves one node to this step.
    fn advance(&mut self, node: usize, step: Step) {
        self.nodes[node] = Node::at(step);
        self.exchange_tokens();
        self.now += STEP_INTERVAL;
    }

    fn advance_all(&mut self, order: [usize; NODES], step: Step) {
        for node in order {
            self.advance(node, step);
        }
    }

    /// Lets every node issue tokens, then verify all tokens that are still valid.
    fn exchange_tokens(&mut self) {
        let at = self.now;
        for node in &self.nodes {
            self.issued.push(Issued {
                access: node.issuer.issue(&SUBJECT, at).unwrap().token,
                to_service: node.to_service.issue(&SUBJECT, at).unwrap().token,
                refresh: node.refresh_tokens.encode(RefreshToken {
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
                    self.counts.verified += 1;
                    self.counts.rejected += u32::from(!accepted);
                };
                count(node.refresh_tokens.decode(&issued.refresh).is_ok());
                if at < issued.at + ACCESS_TTL + LEEWAY {
                    count(node.verifier.verify(&issued.access, at).is_ok());
                    count(node.service.verify(&issued.to_service, at).is_ok());
                }
            }
        }
    }

    /// Advances the clock in steps; at each step, every node issues and verifies tokens.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now = end.min(self.now + STEP_INTERVAL);
            self.exchange_tokens();
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
fn a_rotation_in_any_order_rejects_no_valid_token() {
    for first in orders() {
        for second in orders() {
            for third in orders() {
                let mut simulation = Simulation::new();
                simulation.advance_all(first, Step::Added);
                simulation.advance_all(second, Step::Switched);
                simulation.wait(SESSION_TTL);
                simulation.advance_all(third, Step::Dropped);
                let steps: HashSet<_> = simulation.nodes.iter().map(|node| node.step).collect();
                assert_eq!(steps, HashSet::from([Step::Dropped]));
                assert!(simulation.counts.verified > 500);
                assert_eq!(
                    simulation.counts.rejected, 0,
                    "{first:?} {second:?} {third:?}"
                );
            }
        }
    }
}

/// Shows that the test above can fail: each of these rotations skips something.
#[test]
fn a_rotation_that_skips_a_step_rejects_valid_tokens() {
    let order = [0, 1, 2];
    // Switched before every node knows the new secret.
    let mut hasty = Simulation::new();
    hasty.advance_all(order, Step::Switched);
    assert!(hasty.counts.rejected > 0);

    // One node switches to the new secret while another node does not know it yet.
    let mut uneven = Simulation::new();
    uneven.advance(0, Step::Added);
    uneven.advance(0, Step::Switched);
    assert!(uneven.counts.rejected > 0);

    // Dropped while tokens of the old secret are still valid.
    for time in [Duration::ZERO, STEP_INTERVAL] {
        let mut early = Simulation::new();
        early.advance_all(order, Step::Added);
        early.advance_all(order, Step::Switched);
        assert_eq!(early.counts.rejected, 0);
        early.wait(time);
        early.advance(0, Step::Dropped);
        assert!(early.counts.rejected > 0, "{time:?}");
    }
}
