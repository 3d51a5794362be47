//! The rule of refresh token rotation: a pure function of the session, the presented counter and the time.
//!
//! A response that gets lost is normal, so the direct predecessor of the current token still gets the same
//! successor: without limit within the overlap, afterwards at most twice in a row. A thief and a victim who both stay
//! active use up that allowance and end the session; an older token ends it at once. Limitation: a thief who always
//! refreshes within the overlap of the victim's own refresh looks like a second tab.

use std::time::Duration;

use crate::db::Timestamp;

/// Two tabs, a retry and a doubled request all fall within this.
pub(crate) const OVERLAP: Duration = Duration::from_secs(10);
/// How many rotations in a row may be recovered after the overlap.
pub(crate) const MAX_LATE_RECOVERIES: i32 = 2;

/// What of a session the rule reads and writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// The counter of the current refresh token.
    pub(crate) counter: u32,
    /// When the counter last stepped.
    pub(crate) rotated_at: Option<Timestamp>,
    /// How many rotations in a row were recovered late.
    pub(crate) late_recoveries: i32,
    /// The counter whose late recovery was counted, so that its retries are not counted again.
    pub(crate) late_recovery_counter: Option<u32>,
}

impl Rotation {
    /// A session just begun.
    pub(crate) const START: Self = Self {
        counter: 0,
        rotated_at: None,
        late_recoveries: 0,
        late_recovery_counter: None,
    };
}

/// What to do with a presented token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The current token: write this and answer its counter.
    Advance(Rotation),
    /// The predecessor within the overlap, or one whose late recovery was counted already: answer the current counter.
    Repeat,
    /// The predecessor later: write this and answer the current counter.
    Recover(Rotation),
    /// A copy is in use elsewhere: end the session.
    End,
    /// Newer than the session knows, as after the restore of a backup: refuse, change nothing.
    Unknown,
}

pub(crate) fn decide(session: &Rotation, presented: u32, now: Timestamp) -> Decision {
    if presented > session.counter {
        return Decision::Unknown;
    }
    match session.counter - presented {
        0 => advance(session, now),
        1 => repeat_or_recover(session, now),
        _ => Decision::End,
    }
}

fn advance(session: &Rotation, now: Timestamp) -> Decision {
    let Some(counter) = session.counter.checked_add(1) else {
        return Decision::End;
    };
    let recovered = session.late_recovery_counter == Some(session.counter);
    Decision::Advance(Rotation {
        counter,
        rotated_at: Some(now),
        late_recoveries: if recovered {
            session.late_recoveries
        } else {
            0
        },
        late_recovery_counter: session.late_recovery_counter,
    })
}

fn repeat_or_recover(session: &Rotation, now: Timestamp) -> Decision {
    let overlaps = session
        .rotated_at
        .is_some_and(|rotated| now.since(rotated) <= OVERLAP);
    if overlaps || session.late_recovery_counter == Some(session.counter) {
        return Decision::Repeat;
    }
    if session.late_recoveries >= MAX_LATE_RECOVERIES {
        return Decision::End;
    }
    Decision::Recover(Rotation {
        late_recoveries: session.late_recoveries + 1,
        late_recovery_counter: Some(session.counter),
        ..*session
    })
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
