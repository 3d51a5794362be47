//! Clients, networks and thieves against the rule, exhaustively.
//!
//! The rule must never end an honest client's session unless more than two rotations in a row were recovered late, and
//! must always end a session of which a thief and the victim both make use outside the overlap.

use std::collections::BTreeSet;

use crate::db::Timestamp;
use crate::sessions::rotation::{Decision, Rotation, decide};

/// Seconds between two uses of the app: the lifetime of an access token.
const ROUND: i64 = 900;

/// The server's side of one session, a clock in seconds, and an independent record of what had to be recovered late.
#[derive(Clone)]
struct Server {
    session: Rotation,
    now: i64,
    alive: bool,
    stepped_at: i64,
    late: BTreeSet<u32>,
}

impl Server {
    fn new() -> Self {
        Self {
            session: Rotation::START,
            now: 1_700_000_000,
            alive: true,
            stepped_at: 0,
            late: BTreeSet::new(),
        }
    }

    fn wait(&mut self, seconds: i64) {
        self.now += seconds;
    }

    /// The successor, or `None` if the session is over.
    fn refresh(&mut self, presented: u32) -> Option<u32> {
        if !self.alive {
            return None;
        }
        if presented + 1 == self.session.counter && self.now - self.stepped_at > 10 {
            self.late.insert(self.session.counter);
        }
        let now = Timestamp::from_unix_micros(self.now * 1_000_000);
        match decide(&self.session, presented, now) {
            Decision::Advance(next) => {
                self.session = next;
                self.stepped_at = self.now;
            }
            Decision::Recover(next) => self.session = next,
            Decision::Repeat => {}
            Decision::End => self.alive = false,
            Decision::Unknown => return None,
        }
        self.alive.then_some(self.session.counter)
    }

    /// Whether the three rotations up to `counter` all had to be recovered late.
    fn three_in_a_row(&self, counter: u32) -> bool {
        counter >= 3 && (counter - 2..=counter).all(|rotation| self.late.contains(&rotation))
    }
}

/// What may happen to an honest client in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// The response arrives.
    Fine,
    /// Two tabs, or the network doubles the request: both answers arrive.
    Doubled,
    /// The response is lost and the retry follows at once.
    LostThenRetried,
    /// The response is lost and retried a minute later, twice.
    LostThenRetriedLate,
    /// The app is killed before it saves the response; the next round starts with the old token.
    KilledBeforeSaving,
    /// Two requests; the first answer arrives after the next round's and is saved over it.
    Reordered,
}

const EVENTS: [Event; 6] = [
    Event::Fine,
    Event::Doubled,
    Event::LostThenRetried,
    Event::LostThenRetriedLate,
    Event::KilledBeforeSaving,
    Event::Reordered,
];

/// An honest client: presents what it has saved.
#[derive(Clone)]
struct Client {
    saved: u32,
    /// An answer that will overwrite a newer one.
    delayed: Option<u32>,
}

impl Client {
    /// Plays one round; `None` if the client was logged out.
    fn play(&mut self, event: Event, server: &mut Server) -> Option<()> {
        server.wait(ROUND);
        let answer = server.refresh(self.saved)?;
        let delayed = self.delayed.take();
        match event {
            Event::Fine => self.saved = answer,
            Event::Doubled => {
                server.wait(1);
                self.saved = server.refresh(self.saved)?;
                assert_eq!(self.saved, answer, "both tabs get the same successor");
            }
            Event::LostThenRetried => {
                server.wait(9);
                self.saved = server.refresh(self.saved)?;
            }
            Event::LostThenRetriedLate => {
                for _ in 0..2 {
                    server.wait(60);
                    server.refresh(self.saved)?;
                }
                self.saved = answer;
            }
            Event::KilledBeforeSaving => {}
            Event::Reordered => {
                self.saved = answer;
                self.delayed = Some(answer);
            }
        }
        if let Some(old) = delayed {
            self.saved = old;
        }
        Some(())
    }
}

/// Every sequence of `length` events.
fn sequences(length: u32) -> impl Iterator<Item = Vec<Event>> {
    let kinds = EVENTS.len();
    (0..kinds.pow(length)).map(move |mut number| {
        (0..length)
            .map(|_| {
                let event = EVENTS[number % kinds];
                number /= kinds;
                event
            })
            .collect()
    })
}

/// The server after an honest client played the events, as far as it got.
fn play(sequence: &[Event]) -> Server {
    let mut server = Server::new();
    let mut client = Client {
        saved: 0,
        delayed: None,
    };
    for event in sequence {
        if client.play(*event, &mut server).is_none() {
            break;
        }
    }
    server
}

#[test]
fn an_honest_client_is_logged_out_only_after_more_than_two_late_recoveries_in_a_row() {
    let (mut kept, mut logged_out) = (0, 0);
    for sequence in sequences(6) {
        let server = play(&sequence);
        let counter = server.session.counter;
        if server.alive {
            kept += 1;
            let lenient = (0..=counter).any(|counter| server.three_in_a_row(counter));
            assert!(
                !lenient,
                "a third recovery in a row was let through: {sequence:?}"
            );
        } else {
            logged_out += 1;
            assert!(
                server.three_in_a_row(counter),
                "logged out too early: {sequence:?}"
            );
        }
    }
    assert_eq!(kept + logged_out, EVENTS.len().pow(6));
    assert!(
        kept > 0 && logged_out > 0,
        "the model must see both: {kept} {logged_out}"
    );
}

#[test]
fn a_client_whose_losses_are_retried_within_the_overlap_is_never_logged_out() {
    let harmless = [Event::Fine, Event::Doubled, Event::LostThenRetried];
    for sequence in sequences(6).filter(|sequence| sequence.iter().all(|e| harmless.contains(e))) {
        let server = play(&sequence);
        assert!(server.alive && server.late.is_empty(), "{sequence:?}");
    }
}

/// Who refreshes first in a round, and how many seconds before the other.
#[derive(Clone, Copy, Debug)]
struct Race {
    thief_first: bool,
    gap: i64,
}

/// Plays rounds in which both refresh; how many rotations the thief lasted.
fn rotations_until_caught(start: u32, races: &[Race]) -> Option<u32> {
    let mut server = Server::new();
    let mut saved = 0;
    for _ in 0..start {
        server.wait(ROUND);
        saved = server.refresh(saved).expect("honest so far");
    }
    let (mut victim, mut thief) = (saved, saved);
    for race in races {
        server.wait(ROUND);
        for thief_acts in [race.thief_first, !race.thief_first] {
            let token = if thief_acts { &mut thief } else { &mut victim };
            match server.refresh(*token) {
                Some(next) => *token = next,
                None => return Some(server.session.counter - start),
            }
            server.wait(race.gap);
        }
    }
    None
}

fn races(rounds: u32, gaps: &[i64]) -> impl Iterator<Item = Vec<Race>> {
    let kinds = gaps.len() * 2;
    (0..kinds.pow(rounds)).map(move |mut number| {
        (0..rounds)
            .map(|_| {
                let kind = number % kinds;
                number /= kinds;
                Race {
                    thief_first: kind.is_multiple_of(2),
                    gap: gaps[kind / 2],
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

/// The one thing that cannot be told from two tabs; the documentation says so.
#[test]
fn a_thief_who_always_acts_within_the_overlap_is_not_noticed() {
    for races in races(4, &[1, 10]) {
        assert_eq!(rotations_until_caught(0, &races), None, "{races:?}");
    }
}

#[test]
fn a_thief_who_comes_two_rotations_late_ends_the_session_at_once() {
    for behind in 2..6 {
        for pause in [1, 11, 900] {
            let mut server = Server::new();
            let mut saved = 0;
            for _ in 0..behind {
                server.wait(ROUND);
                saved = server.refresh(saved).expect("honest so far");
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
