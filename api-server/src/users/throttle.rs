//! Counts wrong passwords, registrations and requests for mails. After too many attempts, further attempts are rejected
//! before a password is hashed or a mail is queued.
//!
//! Wrong passwords are counted in three ways:
//! - per pair of email address and network, which stops the guessing of the password of one account, while its owner
//!   can still log in from another network;
//! - per network, which stops attempts on many accounts;
//! - per session, so that a stolen session cannot be used to guess the password from many networks.
//!
//! If a client has no network (see [`Client::network`](crate::client::Client::network)), its wrong passwords are
//! counted only per session, and its registrations and requests for mails are not counted.

use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::budget::{AttemptOutcome, Budget};
use super::email::Email;
use crate::metrics::{Event, Metrics};
use crate::network::Network;
use crate::problem::{Code, Problem};

/// The most wrong passwords per [`GuessKey`] within [`LOGIN_WINDOW`]: as many as NIST SP 800-63B allows in a row for
/// one account.
const MAX_FAILED_GUESSES: u32 = 100;
/// The time within which wrong passwords are counted.
const LOGIN_WINDOW: Duration = Duration::from_secs(15 * 60);
/// The time within which registrations are counted.
const REGISTRATION_WINDOW: Duration = Duration::from_secs(60 * 60);
/// The time within which requests for mails are counted.
const MAIL_REQUEST_WINDOW: Duration = Duration::from_secs(60 * 60);
/// The most keys (pairs of email address and network, and sessions) with a count in memory: about 2 MiB if the email
/// addresses are of common length.
const MAX_GUESS_KEYS: usize = 10_000;
/// The largest number of networks and sites that one budget counts. Such a budget takes about 3 MiB.
const MAX_NETWORKS: usize = 30_000;
/// The limit of a site (an IPv6 /48 with its 65 536 networks), as a multiple of the limit of one network.
const SITE_LIMIT_FACTOR: u32 = 4;

const TOO_MANY_GUESSES: &str = "Too many failed attempts for this address; please wait";
const TOO_MANY_FAILED_LOGINS: &str = "Too many failed attempts from your network; please wait";
const TOO_MANY_REGISTRATIONS: &str = "Too many registrations from your network; please wait";
const TOO_MANY_MAIL_REQUESTS: &str = "Too many requests for mails from your network; please wait";

/// The limits of one network; `None` for no limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NetworkLimits {
    /// Wrong passwords within 15 minutes, for all accounts together.
    pub(crate) failed_logins: Option<u32>,
    /// Registrations within an hour, including attempts with an email address that already has an account.
    pub(crate) registrations: Option<u32>,
    /// Requests for mails within an hour, whether or not a mail is sent.
    pub(crate) mail_requests: Option<u32>,
}

/// The key under which wrong passwords are counted: a pair of email address and network, or a session.
#[derive(Clone, PartialEq, Eq, Hash)]
enum GuessKey {
    EmailAndNetwork(Email, Network),
    Session(String),
}

/// Counts wrong passwords, registrations and requests for mails, in the memory of this process.
pub(crate) struct Throttle {
    limits: NetworkLimits,
    guesses: SharedBudget<GuessKey>,
    failed_logins: SharedBudget<Network>,
    registrations: SharedBudget<Network>,
    mail_requests: SharedBudget<Network>,
}

impl Throttle {
    pub(crate) fn new(limits: NetworkLimits, metrics: &Metrics) -> Self {
        Self {
            limits,
            guesses: SharedBudget::new(
                Budget::new(LOGIN_WINDOW, MAX_GUESS_KEYS),
                (TOO_MANY_GUESSES, Event::ThrottledGuess),
                metrics,
            ),
            failed_logins: SharedBudget::new(
                Budget::new(LOGIN_WINDOW, MAX_NETWORKS),
                (TOO_MANY_FAILED_LOGINS, Event::ThrottledFailedLogins),
                metrics,
            ),
            registrations: SharedBudget::new(
                Budget::new(REGISTRATION_WINDOW, MAX_NETWORKS),
                (TOO_MANY_REGISTRATIONS, Event::ThrottledRegistrations),
                metrics,
            ),
            mail_requests: SharedBudget::new(
                Budget::new(MAIL_REQUEST_WINDOW, MAX_NETWORKS),
                (TOO_MANY_MAIL_REQUESTS, Event::ThrottledMailRequests),
                metrics,
            ),
        }
    }

    /// Reserves the comparison of a password. Fails with status 429 if failures and running comparisons use up a limit.
    pub(crate) fn reserve_guess(
        &self,
        email: &Email,
        session_id: Option<&str>,
        network: Option<Network>,
        now: SystemTime,
    ) -> Result<GuessReservation<'_>, Problem> {
        let reserve = |key| self.guesses.reserve(key, MAX_FAILED_GUESSES, now);
        let session_reservation = session_id.map(|id| reserve(GuessKey::Session(id.to_owned())));
        let email_and_network_reservation =
            network.map(|network| reserve(GuessKey::EmailAndNetwork(email.clone(), network)));
        Ok(GuessReservation {
            session: session_reservation.transpose()?,
            email_and_network: email_and_network_reservation.transpose()?,
            network: self
                .failed_logins
                .reserve_network(network, self.limits.failed_logins, now)?,
        })
    }

    /// Reserves a registration. Fails with status 429 if registrations, also running ones, use up a limit.
    pub(crate) fn reserve_registration(
        &self,
        network: Option<Network>,
        now: SystemTime,
    ) -> Result<NetworkReservation<'_>, Problem> {
        let max = self.limits.registrations;
        self.registrations.reserve_network(network, max, now)
    }
}

/// Requests for mails.
impl Throttle {
    /// Counts a request for a mail. Fails with status 429 if the network has made too many.
    pub(crate) fn count_mail_request(
        &self,
        network: Option<Network>,
        now: SystemTime,
    ) -> Result<(), Problem> {
        let max = self.limits.mail_requests;
        let reservation = self.mail_requests.reserve_network(network, max, now)?;
        reservation.count(now);
        Ok(())
    }
}

/// A reserved comparison of a password. The comparison is not counted if this value is dropped without a result.
pub(crate) struct GuessReservation<'a> {
    session: Option<Reservation<'a, GuessKey>>,
    email_and_network: Option<Reservation<'a, GuessKey>>,
    network: NetworkReservation<'a>,
}

impl GuessReservation<'_> {
    pub(crate) fn record_failure(self, now: SystemTime) {
        for reservation in [self.session, self.email_and_network].into_iter().flatten() {
            reservation.settle(AttemptOutcome::Counted, now);
        }
        self.network.count(now);
    }

    /// Clears the failures of the session, and of the pair of email address and network. The failures of the network
    /// stay: otherwise an attacker could clear these failures by logging in to their own account.
    pub(crate) fn record_success(self, now: SystemTime) {
        for reservation in [self.session, self.email_and_network].into_iter().flatten() {
            reservation.settle(AttemptOutcome::Cleared, now);
        }
    }
}

/// A reserved attempt (a password check, a registration or a request for a mail) of a network and, for IPv6, of its
/// /48. Empty without a network or a limit. The attempt is not counted if this value is dropped without
/// [`count`](Self::count).
pub(crate) struct NetworkReservation<'a>(Vec<Reservation<'a, Network>>);

impl NetworkReservation<'_> {
    pub(crate) fn count(self, now: SystemTime) {
        for reservation in self.0 {
            reservation.settle(AttemptOutcome::Counted, now);
        }
    }
}

/// A budget that several threads share.
struct SharedBudget<K> {
    budget: Mutex<Budget<K>>,
    /// The text of the error when the limit is reached, and the event that counts this error.
    rejection: (&'static str, Event),
    metrics: Metrics,
}

impl<K: Eq + Hash + Clone> SharedBudget<K> {
    fn new(budget: Budget<K>, rejection: (&'static str, Event), metrics: &Metrics) -> Self {
        Self {
            budget: Mutex::new(budget),
            rejection,
            metrics: metrics.clone(),
        }
    }

    fn reserve(&self, key: K, max: u32, now: SystemTime) -> Result<Reservation<'_, K>, Problem> {
        let result = self.with_budget(|budget| budget.reserve(key.clone(), max, now));
        match result {
            Ok(()) => Ok(Reservation {
                budget: self,
                key: Some(key),
                now,
            }),
            Err(wait) => Err(self.too_many_requests(wait)),
        }
    }

    fn too_many_requests(&self, wait: Duration) -> Problem {
        let (detail, event) = self.rejection;
        self.metrics.count(event);
        Problem::new(Code::TooManyRequests, detail)
            .with_retry_after(wait.as_secs().saturating_add(1))
    }

    /// Locks the budget. A panic of another thread does not make the budget unusable.
    fn with_budget<T>(&self, change: impl FnOnce(&mut Budget<K>) -> T) -> T {
        change(&mut self.budget.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SharedBudget<Network> {
    /// Reserves an attempt (a password check, a registration or a request for a mail) for the network and, for IPv6,
    /// for its /48. Without a network or a limit, reserves nothing.
    fn reserve_network(
        &self,
        network: Option<Network>,
        max: Option<u32>,
        now: SystemTime,
    ) -> Result<NetworkReservation<'_>, Problem> {
        let mut reservations = Vec::new();
        if let (Some(network), Some(max)) = (network, max) {
            reservations.push(self.reserve(network, max, now)?);
            if network.site() != network {
                let site_max = max.saturating_mul(SITE_LIMIT_FACTOR);
                reservations.push(self.reserve(network.site(), site_max, now)?);
            }
        }
        Ok(NetworkReservation(reservations))
    }
}

/// A reserved attempt of one key. The attempt is refunded if this value is dropped before it is settled.
struct Reservation<'a, K: Eq + Hash + Clone> {
    budget: &'a SharedBudget<K>,
    key: Option<K>,
    now: SystemTime,
}

impl<K: Eq + Hash + Clone> Reservation<'_, K> {
    fn settle(mut self, outcome: AttemptOutcome, now: SystemTime) {
        self.now = now;
        self.settle_once(outcome);
    }

    fn settle_once(&mut self, outcome: AttemptOutcome) {
        if let Some(key) = self.key.take() {
            let now = self.now;
            self.budget
                .with_budget(|budget| budget.settle(&key, outcome, now));
        }
    }
}

impl<K: Eq + Hash + Clone> Drop for Reservation<'_, K> {
    fn drop(&mut self) {
        self.settle_once(AttemptOutcome::Refunded);
    }
}

#[cfg(test)]
mod tests;
