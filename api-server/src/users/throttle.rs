//! Attempts that fail or create something are counted; after too many the next ones are refused before their work.
//!
//! Counted per (address, network), so that guessing one password ends and its owner still logs in from elsewhere; per
//! network, so that trying many addresses ends; and per session, so that a stolen one cannot guess the password from
//! many networks. A caller that is not counted as a network (see `http::client`) is counted per session alone.

use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::budget::{Budget, Outcome};
use super::email::Email;
use crate::network::Network;
use crate::problem::{Code, Problem};

/// NIST SP 800-63B allows no more than 100 failures in a row.
const MAX_FAILURES: u32 = 100;
const LOGIN_WINDOW: Duration = Duration::from_secs(15 * 60);
const REGISTRATION_WINDOW: Duration = Duration::from_secs(60 * 60);
/// How many (address, network) pairs and sessions are remembered: some 2 MiB.
const MAX_GUESS_KEYS: usize = 10_000;
/// How many networks are remembered, of each kind: some 3 MiB.
const MAX_NETWORKS: usize = 30_000;
/// An IPv6 /48 has the budget of this many networks, for its 65 536.
const NETWORKS_OF_A_SITE: u32 = 4;

const WAIT_ADDRESS: &str = "Too many failed attempts for this address; please wait";
const WAIT_NETWORK: &str = "Too many failed attempts from your network; please wait";
const WAIT_REGISTRATIONS: &str = "Too many registrations from your network; please wait";

/// How much one network may do; `None` for any number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NetworkLimits {
    /// Failed logins of any address within 15 minutes.
    pub(crate) failed_logins: Option<u32>,
    /// Accounts made, and addresses found taken, within an hour.
    pub(crate) registrations: Option<u32>,
}

/// Whose password is guessed, from where.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Guess {
    Login(Email, Network),
    Session(String),
}

/// Counts in memory, for this process.
pub(crate) struct Throttle {
    limits: NetworkLimits,
    guesses: Counter<Guess>,
    failed_logins: Counter<Network>,
    registrations: Counter<Network>,
}

impl Throttle {
    pub(crate) fn new(limits: NetworkLimits) -> Self {
        Self {
            limits,
            guesses: Counter::new(LOGIN_WINDOW, MAX_GUESS_KEYS, WAIT_ADDRESS),
            failed_logins: Counter::new(LOGIN_WINDOW, MAX_NETWORKS, WAIT_NETWORK),
            registrations: Counter::new(REGISTRATION_WINDOW, MAX_NETWORKS, WAIT_REGISTRATIONS),
        }
    }

    /// A comparison of a password, about to be made; refused with 429 after too many that failed.
    pub(crate) fn guess(
        &self,
        email: &Email,
        session_id: Option<&str>,
        network: Option<Network>,
        now: SystemTime,
    ) -> Result<GuessReservation<'_>, Problem> {
        let reserve = |guess| self.guesses.reserve(guess, MAX_FAILURES, now);
        let session = session_id.map(|id| reserve(Guess::Session(id.to_owned())));
        let pair = network.map(|network| reserve(Guess::Login(email.clone(), network)));
        Ok(GuessReservation {
            session: session.transpose()?,
            pair: pair.transpose()?,
            network: self
                .failed_logins
                .reserve_network(network, self.limits.failed_logins, now)?,
        })
    }

    /// A registration, about to be made; refused with 429 after too many.
    pub(crate) fn registration(
        &self,
        network: Option<Network>,
        now: SystemTime,
    ) -> Result<NetworkReservation<'_>, Problem> {
        let max = self.limits.registrations;
        self.registrations.reserve_network(network, max, now)
    }
}

/// A comparison under way; does not count if it is dropped without a result.
pub(crate) struct GuessReservation<'a> {
    session: Option<Reservation<'a, Guess>>,
    pair: Option<Reservation<'a, Guess>>,
    network: NetworkReservation<'a>,
}

impl GuessReservation<'_> {
    pub(crate) fn failed(self, now: SystemTime) {
        for guess in [self.session, self.pair].into_iter().flatten() {
            guess.settle(Outcome::Spent, now);
        }
        self.network.spend(now);
    }

    /// The failures of the network stay: logging in to an account of one's own must not clear them.
    pub(crate) fn succeeded(self, now: SystemTime) {
        for guess in [self.session, self.pair].into_iter().flatten() {
            guess.settle(Outcome::Cleared, now);
        }
    }
}

/// Something a network does under its budget and its site's; does not count if it is dropped.
pub(crate) struct NetworkReservation<'a>(Vec<Reservation<'a, Network>>);

impl NetworkReservation<'_> {
    pub(crate) fn spend(self, now: SystemTime) {
        for reservation in self.0 {
            reservation.settle(Outcome::Spent, now);
        }
    }
}

struct Counter<K> {
    budget: Mutex<Budget<K>>,
    detail: &'static str,
}

impl<K: Eq + Hash + Clone> Counter<K> {
    fn new(window: Duration, capacity: usize, detail: &'static str) -> Self {
        Self {
            budget: Mutex::new(Budget::new(window, capacity)),
            detail,
        }
    }

    fn reserve(&self, key: K, max: u32, now: SystemTime) -> Result<Reservation<'_, K>, Problem> {
        let reserved = self.with(|budget| budget.reserve(key.clone(), max, now));
        match reserved {
            Ok(()) => Ok(Reservation {
                counter: self,
                key: Some(key),
                now,
            }),
            Err(wait) => Err(self.refusal(wait)),
        }
    }

    fn refusal(&self, wait: Duration) -> Problem {
        Problem::new(Code::TooManyRequests, self.detail)
            .with_retry_after(wait.as_secs().saturating_add(1))
    }

    /// Counters stay usable after a panic elsewhere.
    fn with<T>(&self, change: impl FnOnce(&mut Budget<K>) -> T) -> T {
        change(&mut self.budget.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Counter<Network> {
    fn reserve_network(
        &self,
        network: Option<Network>,
        max: Option<u32>,
        now: SystemTime,
    ) -> Result<NetworkReservation<'_>, Problem> {
        let mut reserved = Vec::new();
        if let (Some(network), Some(max)) = (network, max) {
            reserved.push(self.reserve(network, max, now)?);
            if network.site() != network {
                let max = max.saturating_mul(NETWORKS_OF_A_SITE);
                reserved.push(self.reserve(network.site(), max, now)?);
            }
        }
        Ok(NetworkReservation(reserved))
    }
}

/// One attempt of a budget; given back when dropped.
struct Reservation<'a, K: Eq + Hash + Clone> {
    counter: &'a Counter<K>,
    key: Option<K>,
    now: SystemTime,
}

impl<K: Eq + Hash + Clone> Reservation<'_, K> {
    fn settle(mut self, outcome: Outcome, now: SystemTime) {
        self.now = now;
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(key) = self.key.take() {
            let now = self.now;
            self.counter
                .with(|budget| budget.settle(&key, outcome, now));
        }
    }
}

impl<K: Eq + Hash + Clone> Drop for Reservation<'_, K> {
    fn drop(&mut self) {
        self.end(Outcome::Refunded);
    }
}

#[cfg(test)]
mod tests;
