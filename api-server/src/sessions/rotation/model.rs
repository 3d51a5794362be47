//! Checks the rule of refresh token rotation with a model of clients, networks and thieves. The tests simulate every
//! sequence of six events, and every sequence of four races between a thief and the victim with a few time gaps.
//!
//! The overlap is the 10 s after a rotation in which the previous token is accepted any number of times. The rule must
//! end the session of an honest client only if the client presented the previous token after the overlap in three
//! rotations in a row. The rule must end every session that a thief and the victim refresh in turn after the overlap.

use std::collections::BTreeSet;

use crate::db::Timestamp;
use crate::sessions::rotation::{Decision, Rotation, decide};

/// The time before the first refresh of each round, in seconds: the default lifetime of an access token.
const ROUND_SECONDS: i64 = 900;
/// The time after a rotation in which the previous token is accepted any number of times (the overlap), in seconds.
const OVERLAP_SECONDS: i64 = 10;

/// The server's state of one session, with a record of late attempts that the tested rule does not read.
#[derive(Clone)]
struct Server {
    rotation: Rotation,
    /// The time, in seconds since 1970.
    now: i64,
    is_live: bool,
    /// The time when the counter was last advanced, in seconds since 1970; 0 before the first refresh.
    advanced_at: i64,
    /// The values of the counter at which the previous token was presented after the overlap, accepted or not.
    late_attempts: BTreeSet<u32>,
}

impl Server {
    fn new() -> Self {
        Self {
            rotation: Rotation::START,
            now: 1_700_000_000,
            is_live: true,
            advanced_at: 0,
            late_attempts: BTreeSet::new(),
        }
    }

    fn wait(&mut self, seconds: i64) {
        self.now += seconds;
    }

    /// Presents a token with this counter. Returns the counter of the token in the response; `None` if the request is
    /// rejected.
    fn refresh(&mut self, token_counter: u32) -> Option<u32> {
        if !self.is_live {
            return None;
        }
        let is_late = self.now - self.advanced_at > OVERLAP_SECONDS;
        if token_counter + 1 == self.rotation.counter && is_late {
            self.late_attempts.insert(self.rotation.counter);
        }
        let now = Timestamp::from_unix_micros(self.now * 1_000_000);
        match decide(&self.rotation, token_counter, now) {
            Decision::Advance(next_rotation) => {
                self.rotation = next_rotation;
                self.advanced_at = self.now;
            }
            Decision::Recover(next_rotation) => self.rotation = next_rotation,
            Decision::Repeat => {}
            Decision::End => self.is_live = false,
            Decision::UnknownCounter => return None,
        }
        self.is_live.then_some(self.rotation.counter)
    }

    /// Returns whether the previous token was presented after the overlap at `counter` and at both counters before it.
    fn had_three_late_attempts(&self, counter: u32) -> bool {
        let is_late = |attempted: u32| self.late_attempts.contains(&attempted);
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
    /// The response is lost, and the client retries after nine seconds.
    LostThenRetried,
    /// The response is lost, and the client retries twice, after one minute and after two minutes.
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

/// An honest client, which always presents the counter that it has saved.
#[derive(Clone)]
struct Client {
    saved_counter: u32,
    /// The counter in a second copy of a response, which will arrive in the next round and overwrite the saved counter.
    delayed_counter: Option<u32>,
}

impl Client {
    /// Simulates one round. Returns `None` if the client was logged out.
    fn run_round(&mut self, event: Event, server: &mut Server) -> Option<()> {
        server.wait(ROUND_SECONDS);
        let next_counter = server.refresh(self.saved_counter)?;
        let delayed_counter = self.delayed_counter.take();
        match event {
            Event::Arrived => self.saved_counter = next_counter,
            Event::Doubled => {
                server.wait(1);
                self.saved_counter = server.refresh(self.saved_counter)?;
                assert_eq!(
                    self.saved_counter, next_counter,
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
                self.saved_counter = next_counter;
            }
            Event::KilledBeforeSaving => {}
            Event::Reordered => {
                self.saved_counter = next_counter;
                self.delayed_counter = Some(next_counter);
            }
        }
        if let Some(older_counter) = delayed_counter {
            self.saved_counter = older_counter;
        }
        Some(())
    }
}

/// Returns every sequence of `length` events.
fn event_sequences(length: u32) -> impl Iterator<Item = Vec<Event>> {
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

/// Simulates the events of an honest client, until the client is logged out. Returns the server's state.
fn simulate(sequence: &[Event]) -> Server {
    let mut server = Server::new();
    let mut client = Client {
        saved_counter: 0,
        delayed_counter: None,
    };
    for event in sequence {
        if client.run_round(*event, &mut server).is_none() {
            break;
        }
    }
    server
}

#[test]
fn an_honest_client_is_logged_out_only_after_three_late_attempts_in_a_row() {
    let (mut live_count, mut logged_out_count) = (0, 0);
    for sequence in event_sequences(6) {
        let server = simulate(&sequence);
        let counter = server.rotation.counter;
        if server.is_live {
            live_count += 1;
            let was_too_tolerant =
                (0..=counter).any(|earlier| server.had_three_late_attempts(earlier));
            assert!(
                !was_too_tolerant,
                "a third recovery in a row was accepted: {sequence:?}"
            );
        } else {
            logged_out_count += 1;
            assert!(
                server.had_three_late_attempts(counter),
                "logged out too early: {sequence:?}"
            );
        }
    }
    assert_eq!(live_count + logged_out_count, EVENTS.len().pow(6));
    assert!(
        live_count > 0 && logged_out_count > 0,
        "the model must produce both: {live_count} {logged_out_count}"
    );
}

#[test]
fn a_client_whose_losses_are_retried_within_the_overlap_is_never_logged_out() {
    let harmless_events = [Event::Arrived, Event::Doubled, Event::LostThenRetried];
    let is_harmless =
        |sequence: &Vec<Event>| sequence.iter().all(|event| harmless_events.contains(event));
    for sequence in event_sequences(6).filter(is_harmless) {
        let server = simulate(&sequence);
        assert!(
            server.is_live && server.late_attempts.is_empty(),
            "{sequence:?}"
        );
    }
}

/// A round in which the thief and the victim both use their copy of the refresh token.
#[derive(Clone, Copy, Debug)]
struct Race {
    thief_is_first: bool,
    /// The time after each of the two refreshes, in seconds.
    gap_seconds: i64,
}

/// Simulates `earlier_rotations` of the victim alone and then the races. Returns the number of rotations from the first
/// race to the end of the session; `None` if the session did not end.
fn rotations_until_session_end(earlier_rotations: u32, races: &[Race]) -> Option<u32> {
    let mut server = Server::new();
    let mut counter = 0;
    for _ in 0..earlier_rotations {
        server.wait(ROUND_SECONDS);
        counter = server.refresh(counter).expect("only the victim refreshes");
    }
    let (mut victim_counter, mut thief_counter) = (counter, counter);
    for race in races {
        server.wait(ROUND_SECONDS);
        for thief_acts in [race.thief_is_first, !race.thief_is_first] {
            let saved_counter = if thief_acts {
                &mut thief_counter
            } else {
                &mut victim_counter
            };
            match server.refresh(*saved_counter) {
                Some(next_counter) => *saved_counter = next_counter,
                None => return Some(server.rotation.counter - earlier_rotations),
            }
            server.wait(race.gap_seconds);
        }
    }
    None
}

/// Returns every sequence of `length` races with these gaps, in seconds.
fn race_sequences(length: u32, gaps: &[i64]) -> impl Iterator<Item = Vec<Race>> {
    let base = gaps.len() * 2;
    (0..base.pow(length)).map(move |mut number| {
        // Each digit of the number stands for a gap and for the order of thief and victim.
        (0..length)
            .map(|_| {
                let digit = number % base;
                number /= base;
                Race {
                    thief_is_first: digit.is_multiple_of(2),
                    gap_seconds: gaps[digit / 2],
                }
            })
            .collect()
    })
}

#[test]
fn a_thief_and_a_victim_outside_the_overlap_end_the_session_within_three_rotations() {
    for earlier_rotations in 0..3 {
        for races in race_sequences(4, &[11, 60, 450]) {
            let rotation_count = rotations_until_session_end(earlier_rotations, &races);
            assert!(
                rotation_count.is_some_and(|count| count <= 3),
                "{races:?}: {rotation_count:?}"
            );
        }
    }
}

/// A documented limitation of the rule: a thief who refreshes within the overlap looks like a second tab of the victim.
#[test]
fn a_thief_who_always_refreshes_within_the_overlap_is_not_detected() {
    for races in race_sequences(4, &[1, 10]) {
        assert_eq!(rotations_until_session_end(0, &races), None, "{races:?}");
    }
}

#[test]
fn a_thief_with_a_token_two_or_more_rotations_old_ends_the_session_at_once() {
    for rotations in 2..6 {
        for wait_seconds in [1, 11, 900] {
            let mut server = Server::new();
            let mut counter = 0;
            for _ in 0..rotations {
                server.wait(ROUND_SECONDS);
                counter = server.refresh(counter).expect("only the victim refreshes");
            }
            server.wait(wait_seconds);
            assert_eq!(
                server.refresh(counter - rotations),
                None,
                "{rotations} rotations old"
            );
            assert_eq!(
                server.refresh(counter),
                None,
                "the victim has to log in again"
            );
        }
    }
}
