//! Simulates a rotation of the secret in three steps. In each step, the nodes change one after the other, in every
//! possible order. No valid token may be rejected.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use auth_core::refresh::{RefreshToken, RefreshTokens};
use auth_core::{Keyring, TokenIssuer, TokenVerifier};

use crate::fixtures::{
    AUDIENCE, ISSUER, OTHER_SECRET as NEW, SECRET as OLD, SUBJECT, now, secret, verifier,
};

const SERVICE_AUDIENCE: &str = "reports";
const NODE_COUNT: usize = 3;
const ACCESS_TTL: Duration = Duration::from_secs(900);
/// The lifetime of a refresh token. A short lifetime keeps the simulation small.
const SESSION_TTL: Duration = Duration::from_secs(1800);
const LEEWAY: Duration = Duration::from_secs(5);
/// The time by which the clock advances after each change of a node. During a longer wait, the nodes issue and verify
/// tokens at this interval.
const STEP_INTERVAL: Duration = Duration::from_secs(450);

/// The progress of a node in the rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    OldOnly,
    NewAdded,
    NewCurrent,
    OldRemoved,
}

impl Step {
    /// Returns the current secret, then the previous secrets.
    const fn secrets(self) -> &'static [&'static str] {
        match self {
            Self::OldOnly => &[OLD],
            Self::NewAdded => &[OLD, NEW],
            Self::NewCurrent => &[NEW, OLD],
            Self::OldRemoved => &[NEW],
        }
    }

    fn keyring(self) -> Keyring {
        let mut secrets = self.secrets().iter().map(|text| secret(text));
        Keyring::new(secrets.next().unwrap()).with_previous(secrets)
    }
}

/// A server, and a service with derived secrets. The server and the service take each step at the same time.
struct Node {
    step: Step,
    issuer: TokenIssuer,
    verifier: TokenVerifier,
    refresh_tokens: RefreshTokens,
    service_issuer: TokenIssuer,
    service_verifier: TokenVerifier,
}

impl Node {
    fn at_step(step: Step) -> Self {
        let keyring = step.keyring();
        let derived_keyring = keyring.for_audience(SERVICE_AUDIENCE).unwrap();
        // The keyring of the service consists of derived secrets, because a service does not know the server's secrets.
        let secrets = step.secrets().iter();
        let mut derived_secrets =
            secrets.map(|text| secret(text).for_audience(SERVICE_AUDIENCE).unwrap());
        let service_keyring =
            Keyring::new(derived_secrets.next().unwrap()).with_previous(derived_secrets);
        Self {
            step,
            issuer: TokenIssuer::new(keyring.clone(), ISSUER, AUDIENCE, ACCESS_TTL).unwrap(),
            verifier: verifier(keyring.clone()),
            refresh_tokens: RefreshTokens::new(&keyring),
            service_issuer: TokenIssuer::new(derived_keyring, ISSUER, SERVICE_AUDIENCE, ACCESS_TTL)
                .unwrap(),
            service_verifier: TokenVerifier::new(service_keyring, ISSUER, SERVICE_AUDIENCE)
                .unwrap(),
        }
    }
}

/// Tokens that a node issued at the same time.
struct IssuedTokens {
    access_token: String,
    service_token: String,
    refresh_token: String,
    issued_at: SystemTime,
}

#[derive(Default)]
struct ResultCounts {
    verification_count: u32,
    rejection_count: u32,
}

struct Simulation {
    now: SystemTime,
    nodes: Vec<Node>,
    issued_tokens: Vec<IssuedTokens>,
    counts: ResultCounts,
}

impl Simulation {
    fn new() -> Self {
        let mut simulation = Self {
            now: now(),
            nodes: (0..NODE_COUNT)
                .map(|_| Node::at_step(Step::OldOnly))
                .collect(),
            issued_tokens: Vec::new(),
            counts: ResultCounts::default(),
        };
        simulation.exchange_tokens();
        simulation
    }

    /// Moves one node to this step and calls [`exchange_tokens`](Self::exchange_tokens). Then advances the clock by
    /// [`STEP_INTERVAL`].
    fn advance(&mut self, node_index: usize, step: Step) {
        self.nodes[node_index] = Node::at_step(step);
        self.exchange_tokens();
        self.now += STEP_INTERVAL;
    }

    fn advance_all(&mut self, order: [usize; NODE_COUNT], step: Step) {
        for node_index in order {
            self.advance(node_index, step);
        }
    }

    /// Makes every node issue tokens, and then makes every node verify all valid tokens.
    fn exchange_tokens(&mut self) {
        let now = self.now;
        for node in &self.nodes {
            self.issued_tokens.push(IssuedTokens {
                access_token: node.issuer.issue(&SUBJECT, now).unwrap().token,
                service_token: node.service_issuer.issue(&SUBJECT, now).unwrap().token,
                refresh_token: node.refresh_tokens.encode(RefreshToken {
                    session_id: [7; 16],
                    counter: 0,
                }),
                issued_at: now,
            });
        }
        self.issued_tokens
            .retain(|tokens| now < tokens.issued_at + SESSION_TTL);
        for tokens in &self.issued_tokens {
            for node in &self.nodes {
                let mut count_result = |is_accepted: bool| {
                    self.counts.verification_count += 1;
                    self.counts.rejection_count += u32::from(!is_accepted);
                };
                count_result(node.refresh_tokens.decode(&tokens.refresh_token).is_ok());
                if now < tokens.issued_at + ACCESS_TTL + LEEWAY {
                    count_result(node.verifier.verify(&tokens.access_token, now).is_ok());
                    count_result(
                        node.service_verifier
                            .verify(&tokens.service_token, now)
                            .is_ok(),
                    );
                }
            }
        }
    }

    /// Advances the clock by this duration. After each [`STEP_INTERVAL`] and at the end, every node issues and verifies
    /// tokens.
    fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end {
            self.now = end.min(self.now + STEP_INTERVAL);
            self.exchange_tokens();
        }
    }
}

/// Returns every order in which the nodes can change.
fn node_orders() -> Vec<[usize; NODE_COUNT]> {
    let mut orders = Vec::new();
    for number in 0..NODE_COUNT.pow(3) {
        let order = [number % 3, number / 3 % 3, number / 9];
        if order.iter().collect::<HashSet<_>>().len() == NODE_COUNT {
            orders.push(order);
        }
    }
    assert_eq!(orders.len(), 6);
    orders
}

#[test]
fn a_rotation_in_any_order_rejects_no_valid_token() {
    for first_order in node_orders() {
        for second_order in node_orders() {
            for third_order in node_orders() {
                let mut simulation = Simulation::new();
                simulation.advance_all(first_order, Step::NewAdded);
                simulation.advance_all(second_order, Step::NewCurrent);
                simulation.wait(SESSION_TTL);
                simulation.advance_all(third_order, Step::OldRemoved);
                let steps: HashSet<_> = simulation.nodes.iter().map(|node| node.step).collect();
                assert_eq!(steps, HashSet::from([Step::OldRemoved]));
                assert!(simulation.counts.verification_count > 500);
                assert_eq!(
                    simulation.counts.rejection_count, 0,
                    "{first_order:?} {second_order:?} {third_order:?}"
                );
            }
        }
    }
}

/// Shows that the simulation finds mistakes: each of these rotations skips a step, or takes a step too early.
#[test]
fn a_rotation_with_a_skipped_or_early_step_rejects_valid_tokens() {
    let order = [0, 1, 2];
    // The first node switches to the new secret before any other node knows the new secret.
    let mut hasty_simulation = Simulation::new();
    hasty_simulation.advance_all(order, Step::NewCurrent);
    assert!(hasty_simulation.counts.rejection_count > 0);

    // One node takes two steps before the other nodes take the first step.
    let mut early_node_simulation = Simulation::new();
    early_node_simulation.advance(0, Step::NewAdded);
    early_node_simulation.advance(0, Step::NewCurrent);
    assert!(early_node_simulation.counts.rejection_count > 0);

    // The old secret is removed while tokens of the old secret are still valid.
    for wait_time in [Duration::ZERO, STEP_INTERVAL] {
        let mut short_wait_simulation = Simulation::new();
        short_wait_simulation.advance_all(order, Step::NewAdded);
        short_wait_simulation.advance_all(order, Step::NewCurrent);
        assert_eq!(short_wait_simulation.counts.rejection_count, 0);
        short_wait_simulation.wait(wait_time);
        short_wait_simulation.advance(0, Step::OldRemoved);
        assert!(
            short_wait_simulation.counts.rejection_count > 0,
            "{wait_time:?}"
        );
    }
}
