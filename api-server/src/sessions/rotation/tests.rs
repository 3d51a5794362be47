//! Tests the rule of refresh token rotation, the length of the overlap and the maximum number of late recoveries.

use std::time::Duration;

use crate::db::Timestamp;
use crate::sessions::rotation::{Decision, MAX_LATE_RECOVERIES, OVERLAP, Rotation, decide};

/// Returns the time `millis` milliseconds after the rotation in [`rotation_at_time_zero`].
fn time_at(millis: i64) -> Timestamp {
    Timestamp::from_unix_micros(1_700_000_000_000_000 + millis * 1000)
}

fn rotation_at_time_zero(counter: u32) -> Rotation {
    Rotation {
        counter,
        rotated_at: Some(time_at(0)),
        ..Rotation::START
    }
}

#[test]
fn the_current_token_advances_the_counter() {
    let Decision::Advance(next_rotation) = decide(&Rotation::START, 0, time_at(5)) else {
        panic!("the counter was not advanced");
    };
    assert_eq!(
        next_rotation,
        Rotation {
            counter: 1,
            rotated_at: Some(time_at(5)),
            ..Rotation::START
        }
    );
}

#[test]
fn the_previous_token_is_repeated_within_the_overlap_and_recovered_after_the_overlap() {
    let overlap_millis = i64::try_from(OVERLAP.as_millis()).unwrap();
    let rotation = rotation_at_time_zero(7);
    assert_eq!(decide(&rotation, 6, time_at(0)), Decision::Repeat);
    assert_eq!(
        decide(&rotation, 6, time_at(overlap_millis)),
        Decision::Repeat
    );
    assert!(matches!(
        decide(&rotation, 6, time_at(overlap_millis + 1)),
        Decision::Recover(_)
    ));
}

#[test]
fn a_time_before_the_rotation_is_treated_as_within_the_overlap() {
    assert_eq!(
        decide(&rotation_at_time_zero(7), 6, time_at(-60_000)),
        Decision::Repeat
    );
}

#[test]
fn a_retry_after_a_late_recovery_is_not_counted_again() {
    let Decision::Recover(recovered_rotation) =
        decide(&rotation_at_time_zero(7), 6, time_at(60_000))
    else {
        panic!("the token was not recovered");
    };
    assert_eq!(
        (
            recovered_rotation.counter,
            recovered_rotation.late_recoveries
        ),
        (7, 1)
    );
    assert_eq!(
        decide(&recovered_rotation, 6, time_at(120_000)),
        Decision::Repeat
    );
}

#[test]
fn one_late_recovery_more_than_allowed_ends_the_session() {
    for (late_recoveries, ends_session) in [
        (MAX_LATE_RECOVERIES - 1, false),
        (MAX_LATE_RECOVERIES, true),
    ] {
        let rotation = Rotation {
            late_recoveries,
            late_recovery_counter: Some(6),
            ..rotation_at_time_zero(7)
        };
        let decision = decide(&rotation, 6, time_at(60_000));
        assert_eq!(
            decision == Decision::End,
            ends_session,
            "{late_recoveries}: {decision:?}"
        );
    }
}

#[test]
fn advancing_keeps_the_count_of_recoveries_only_if_the_current_token_was_recovered_late() {
    for (late_recovery_counter, expected_count) in [(Some(7), 2), (Some(6), 0), (None, 0)] {
        let rotation = Rotation {
            late_recoveries: 2,
            late_recovery_counter,
            ..rotation_at_time_zero(7)
        };
        let Decision::Advance(next_rotation) = decide(&rotation, 7, time_at(900_000)) else {
            panic!("the counter was not advanced");
        };
        assert_eq!(
            next_rotation.late_recoveries, expected_count,
            "{late_recovery_counter:?}"
        );
    }
}

#[test]
fn a_token_two_or_more_rotations_old_ends_the_session_even_within_the_overlap() {
    for token_counter in [0, 1, 4, 5] {
        assert_eq!(
            decide(&rotation_at_time_zero(7), token_counter, time_at(1)),
            Decision::End,
            "{token_counter}"
        );
    }
}

#[test]
fn a_counter_above_the_current_counter_is_unknown() {
    for token_counter in [8, 9, u32::MAX] {
        assert_eq!(
            decide(&rotation_at_time_zero(7), token_counter, time_at(1)),
            Decision::UnknownCounter
        );
    }
}

#[test]
fn the_highest_counter_ends_the_session_instead_of_wrapping() {
    assert_eq!(
        decide(&rotation_at_time_zero(u32::MAX), u32::MAX, time_at(1)),
        Decision::End
    );
    let penultimate_rotation = rotation_at_time_zero(u32::MAX - 1);
    assert!(matches!(
        decide(&penultimate_rotation, u32::MAX - 1, time_at(1)),
        Decision::Advance(_)
    ));
}

#[test]
fn the_overlap_is_ten_seconds_and_two_late_recoveries_are_allowed() {
    assert_eq!((OVERLAP, MAX_LATE_RECOVERIES), (Duration::from_secs(10), 2));
}
