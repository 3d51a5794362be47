//! Checks the rule of refresh token rotation against a model of clients, networks and thieves: every sequence of events
//! up to a certain length.
//!
//! The rule must never end the session of an honest client unless more than two rotations in a row were recovered late.
//! The rule must always end a session that a thief and the victim both refresh outside the overlap.

use std::collections::BTreeSet;

use crate::db::Timestamp;
use crate::sessions::rotation::{Decision, Rotation, decide};

/// The seconds between two refreshes of a client: the lifetime of an access token.
const ROUND_SECONDS: i64 = 900;

/// The server's state of one session, with a record of late recoveries that is independent of the rule.
#[derive(Clone)]
struct Server {
    session: Rotation,
    /// The clock, in seconds.
    now: i64,
    is_live: bool,
    advanced_at: i64,
    /// The counters that were recovered after the overlap.
    recovered_late: BTreeSet<u32>,
}

impl Server {
    fn new() -> Self {
        Self {
            session: Rotation::START,
            now: 1_700_000_000,
            is_live: true,
            advanced_at: 0,
            recovered_late: BTreeSet::new(),
        }
    }

    fn wait(&mut self, seconds: i64) {
        self.now += seconds;
    }

    /// Returns the counter of the next token, or `None` if the session has ended.
    fn refresh(&mut self, presented: u32) -> Option<u32> {
        if !self.is_live {
            return None;
        }
        if presented + 1 == self.session.counter && self.now - self.advanced_at > 10 {
            self.recovered_late.insert(self.session.counter);
        }
        let now = Timestamp::from_unix_micros(self.now * 1_000_000);
        match decide(&self.session, presented, now) {
            Decision::Advance(next) => {
                self.session = next;
                self.advanced_at = self.now;
            }
            Decision::Recover(next) => self.session = next,
            Decision::Repeat => {}
            Decision::End => self.is_live = false,
            Decision::Unknown => return None,
        }
        self.is_live.then_some(self.session.counter)
    }

    /// Returns whether the three rotations up to `counter` were all recovered late.
    fn had_three_late_recoveries(&self, counter: u32) -> bool {
        let is_late = |rotation| self.recovered_late.contains(&rotation);
        counter >= 3 && (counter - 2..=counter).all(is_late)
    }
}

/// An event that may happen to an honest client in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// The response arrives.
    Arrived,
    /// Two tabs refresh, or the network duplicates the request: both responses arrive.
    Doubled,
    /// The response is lost and the retry follows at once.
    LostThenRetried,
    /// The response is lost, and two retries follow, a minute apart.
    LostThenRetriedLate,
    /// The app is killed before it saves the response; the next round starts with the old token.
    KilledBeforeSaving,
    /// A second copy of the response arrives after the response of the next round and overwrites the newer token.
    Reordered,
}

const EVENTS: [Event; 6] = [
    Event::Arrived,
    Event::Doubled,
    Event::LostThenRetried,
    Event::LostThenRetriedLate,
    Event::KilledBeforeSaving,
    Event::Reordered,
];

/// An honest client: presents the counter that it has saved.
#[derive(Clone)]
struct Client {
    saved_counter: u32,
    /// A response that will arrive in the next round and overwrite a newer counter.
    delayed: Option<u32>,
}

impl Client {
    /// Simulates one round; `None` if the client was logged out.
    fn run_round(&mut self, event: Event, server: &mut Server) -> Option<()> {
        server.wait(ROUND_SECONDS);
        let response = server.refresh(self.saved_counter)?;
        let delayed = self.delayed.take();
        match event {
            Event::Arrived => self.saved_counter = response,
            Event::Doubled => {
                server.wait(1);
                self.saved_counter = server.refresh(self.saved_counter)?;
                assert_eq!(
                    self.saved_counter, response,
                    "both tabs get the same successor"
                );
            }
            Event::LostThenRetried => {
                server.wait(9);
                self.saved_counter = server.refresh(self.saved_counter)?;
            }
            Event::LostThenRetriedLate => {
                for _ in 0..2 {
                    server.wait(60);
                    server.refresh(self.saved_counter)?;
                }
                self.saved_counter = response;
            }
            Event::KilledBeforeSaving => {}
            Event::Reordered => {
                self.saved_counter = response;
                self.delayed = Some(response);
            }
        }
        if let Some(older) = delayed {
            self.saved_counter = older;
        }
        Some(())
    }
}

/// Returns every sequence of `length` events.
fn sequences(length: u32) -> impl Iterator<Item = Vec<Event>> {
    let base = EVENTS.len();
    (0..base.pow(length)).map(move |mut number| {
        // Each digit of the number is the index of an event.
        (0..length)
            .map(|_| {
                let digit = number % base;
                number /= base;
                EVENTS[digit]
            })
            .collect()
    })
}

/// Simulates an honest client until the events end or it is logged out. Returns the server's state.
fn simulate(sequence: &[Event]) -> Server {
    let mut server = Server::new();
    let mut client = Client {
        saved_counter: 0,
        delayed: None,
    };
    for event in sequence {
        if client.run_round(*event, &mut server).is_none() {
            break;
        }
    }
    server
}

#[test]
fn an_honest_client_is_logged_out_only_after_more_than_two_late_recoveries_in_a_row() {
    let (mut kept, mut logged_out) = (0, 0);
    for sequence in sequences(6) {
        let server = simulate(&sequence);
        let counter = server.session.counter;
        if server.is_live {
            kept += 1;
            let too_many = (0..=counter).any(|counter| server.had_three_late_recoveries(counter));
            assert!(
                !too_many,
                "a third recovery in a row was accepted: {sequence:?}"
            );
        } else {
            logged_out += 1;
            assert!(
                server.had_three_late_recoveries(counter),
                "logged out too early: {sequence:?}"
            );
        }
    }
    assert_eq!(kept + logged_out, EVENTS.len().pow(6));
    assert!(
        kept > 0 && logged_out > 0,
        "the model must produce both: {kept} {logged_out}"
    );
}

#[test]
fn a_client_whose_losses_are_retried_within_the_overlap_is_never_logged_out() {
    let harmless = [Event::Arrived, Event::Doubled, Event::LostThenRetried];
    let is_harmless = |sequence: &Vec<Event>| sequence.iter().all(|event| harmless.contains(event));
    for sequence in sequences(6).filter(is_harmless) {
        let server = simulate(&sequence);
        assert!(
            server.is_live && server.recovered_late.is_empty(),
            "{sequence:?}"
        );
    }
}

/// A round in which the thief and the victim both use their copy of the refresh token.
#[derive(Clone, Copy, Debug)]
struct Race {
    thief_first: bool,
    /// The seconds between the two refreshes.
    gap: i64,
}

/// Simulates the races after `start` rotations of the victim alone. Returns the number of further rotations until the
/// session ended; `None` if it never did.
fn rotations_until_caught(start: u32, races: &[Race]) -> Option<u32> {
    let mut server = Server::new();
    let mut saved = 0;
    for _ in 0..start {
        server.wait(ROUND_SECONDS);
        saved = server.refresh(saved).expect("only the victim refreshes");
    }
    let (mut victim, mut thief) = (saved, saved);
    for race in races {
        server.wait(ROUND_SECONDS);
        for thief_acts in [race.thief_first, !race.thief_first] {
            let counter = if thief_acts { &mut thief } else { &mut victim };
            match server.refresh(*counter) {
                Some(next) => *counter = next,
                None => return Some(server.session.counter - start),
            }
            server.wait(race.gap);
        }
    }
    None
}

/// Returns every sequence of `rounds` races with these gaps.
fn races(rounds: u32, gaps: &[i64]) -> impl Iterator<Item = Vec<Race>> {
    let base = gaps.len() * 2;
    (0..base.pow(rounds)).map(move |mut number| {
        // Each digit of the number stands for a gap and for the order of thief and victim.
        (0..rounds)
            .map(|_| {
                let digit = number % base;
                number /= base;
                Race {
                    thief_first: digit.is_multiple_of(2),
                    gap: gaps[digit / 2],
                }
            })
            .collect()
    })
}

#[test]
fn a_thief_and_a_victim_outside_the_overlap_end_the_session_within_three_rotations() {
    for start in 0..3 {
        for races in races(4, &[11, 60, 450]) {
            let caught = rotations_until_caught(start, &races);
            assert!(
                caught.is_some_and(|rotations| rotations <= 3),
                "{races:?}: {caught:?}"
            );
        }
    }
}

/// A documented limitation of the rule: a thief who refreshes within the overlap looks like a second tab of the victim.
#[test]
fn a_thief_who_always_refreshes_within_the_overlap_is_not_detected() {
    for races in races(4, &[1, 10]) {
        assert_eq!(rotations_until_caught(0, &races), None, "{races:?}");
    }
}

#[test]
fn a_thief_with_a_token_two_rotations_old_ends_the_session_at_once() {
    for behind in 2..6 {
        for pause in [1, 11, 900] {
            let mut server = Server::new();
            let mut saved = 0;
            for _ in 0..behind {
                server.wait(ROUND_SECONDS);
                saved = server.refresh(saved).expect("only the victim refreshes");
            }
            server.wait(pause);
            assert_eq!(server.refresh(saved - behind), None, "{behind} behind");
            assert_eq!(
                server.refresh(saved),
                None,
                "the victim has to log in again"
            );
        }
    }
}
