//! Decides what happens when a client presents a refresh token. The decision depends only on the rotation state of the
//! session, on the counter in the token, and on the time.
//!
//! A refresh with the current token replaces this token: this is a rotation. The response may get lost, so a caller
//! with the previous token still receives the current token. Within the overlap (10 s after the rotation), the previous
//! token is accepted any number of times. After the overlap, the previous token is accepted for at most two rotations
//! in a row. If a thief and the victim refresh in turn, each after the overlap, they soon exceed that limit, and the
//! session ends. A token older than the previous token ends the session at once. Limitation: if a thief refreshes
//! within the overlap after each refresh of the victim, the server takes the thief for a second tab of the victim's
//! browser.

use std::time::Duration;

use crate::db::Timestamp;

/// The time after a rotation in which the previous token is accepted any number of times: long enough for a second tab,
/// a retry or a duplicated request.
pub(crate) const OVERLAP: Duration = Duration::from_secs(10);
/// The most rotations in a row after which the previous token may be accepted late, that is, after the overlap.
pub(crate) const MAX_LATE_RECOVERIES: i32 = 2;

/// The part of a session that the rule of rotation reads and changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// The counter of the current refresh token.
    pub(crate) counter: u32,
    /// The time when the counter was last advanced; `None` before the first refresh.
    pub(crate) rotated_at: Option<Timestamp>,
    /// The number of rotations in a row after which the previous token was accepted late, that is, after the overlap.
    pub(crate) late_recoveries: i32,
    /// The value of `counter` at the last [`Decision::Recover`], so that a retry is not counted again.
    pub(crate) late_recovery_counter: Option<u32>,
}

impl Rotation {
    /// The state of a session that was never refreshed.
    pub(crate) const START: Self = Self {
        counter: 0,
        rotated_at: None,
        late_recoveries: 0,
        late_recovery_counter: None,
    };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The current token was presented: store this rotation and return the token of the new counter.
    Advance(Rotation),
    /// The previous token was presented within the overlap, or again after [`Recover`](Self::Recover): return the
    /// current token.
    Repeat,
    /// The previous token was presented for the first time after the overlap: store this rotation and return the
    /// current token.
    Recover(Rotation),
    /// An older token was presented, or the previous token after the overlap in too many rotations in a row: end the
    /// session, because a copy of the token may be in use. The session also ends if the counter cannot be advanced.
    End,
    /// The presented token is newer than the stored session, as after the restore of a backup: reject the token and
    /// change nothing.
    UnknownCounter,
}

pub(crate) fn decide(rotation: &Rotation, token_counter: u32, now: Timestamp) -> Decision {
    if token_counter > rotation.counter {
        return Decision::UnknownCounter;
    }
    match rotation.counter - token_counter {
        0 => decide_for_current_token(rotation, now),
        1 => decide_for_previous_token(rotation, now),
        _ => Decision::End,
    }
}

fn decide_for_current_token(rotation: &Rotation, now: Timestamp) -> Decision {
    let Some(counter) = rotation.counter.checked_add(1) else {
        return Decision::End;
    };
    let was_recovered_late = rotation.late_recovery_counter == Some(rotation.counter);
    Decision::Advance(Rotation {
        counter,
        rotated_at: Some(now),
        late_recoveries: if was_recovered_late {
            rotation.late_recoveries
        } else {
            0
        },
        late_recovery_counter: rotation.late_recovery_counter,
    })
}

fn decide_for_previous_token(rotation: &Rotation, now: Timestamp) -> Decision {
    let is_in_overlap = rotation
        .rotated_at
        .is_some_and(|rotated_at| now.since(rotated_at) <= OVERLAP);
    if is_in_overlap || rotation.late_recovery_counter == Some(rotation.counter) {
        return Decision::Repeat;
    }
    if rotation.late_recoveries >= MAX_LATE_RECOVERIES {
        return Decision::End;
    }
    Decision::Recover(Rotation {
        late_recoveries: rotation.late_recoveries + 1,
        late_recovery_counter: Some(rotation.counter),
        ..*rotation
    })
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
