//! Each line of the rule, and its boundaries.

use std::time::Duration;

use crate::db::Timestamp;
use crate::sessions::rotation::{Decision, MAX_LATE_RECOVERIES, OVERLAP, Rotation, decide};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000 + millis * 1000)
}

fn rotated_at_zero(counter: u32) -> Rotation {
    Rotation {
        counter,
        rotated_at: Some(at(0)),
        ..Rotation::START
    }
}

#[test]
fn the_current_token_steps_the_counter() {
    let Decision::Advance(next) = decide(&Rotation::START, 0, at(5)) else {
        panic!("must advance");
    };
    assert_eq!(
        next,
        Rotation {
            counter: 1,
            rotated_at: Some(at(5)),
            ..Rotation::START
        }
    );
}

#[test]
fn the_predecessor_repeats_up_to_the_end_of_the_overlap_and_recovers_after_it() {
    let overlap = i64::try_from(OVERLAP.as_millis()).unwrap();
    let session = rotated_at_zero(7);
    assert_eq!(decide(&session, 6, at(0)), Decision::Repeat);
    assert_eq!(decide(&session, 6, at(overlap)), Decision::Repeat);
    assert!(matches!(
        decide(&session, 6, at(overlap + 1)),
        Decision::Recover(_)
    ));
}

#[test]
fn a_clock_that_is_behind_counts_as_within_the_overlap() {
    assert_eq!(
        decide(&rotated_at_zero(7), 6, at(-60_000)),
        Decision::Repeat
    );
}

#[test]
fn a_recovery_is_counted_once_however_often_it_is_retried() {
    let Decision::Recover(recovered) = decide(&rotated_at_zero(7), 6, at(60_000)) else {
        panic!("must recover");
    };
    assert_eq!((recovered.counter, recovered.late_recoveries), (7, 1));
    assert_eq!(decide(&recovered, 6, at(120_000)), Decision::Repeat);
}

#[test]
fn one_recovery_more_than_allowed_ends_the_session() {
    for (recoveries, ends) in [
        (MAX_LATE_RECOVERIES - 1, false),
        (MAX_LATE_RECOVERIES, true),
    ] {
        let session = Rotation {
            late_recoveries: recoveries,
            late_recovery_counter: Some(6),
            ..rotated_at_zero(7)
        };
        let decision = decide(&session, 6, at(60_000));
        assert_eq!(
            decision == Decision::End,
            ends,
            "{recoveries}: {decision:?}"
        );
    }
}

#[test]
fn a_rotation_without_recovery_clears_the_count_and_one_with_it_keeps_it() {
    for (counted, kept) in [(Some(7), 2), (Some(6), 0), (None, 0)] {
        let session = Rotation {
            late_recoveries: 2,
            late_recovery_counter: counted,
            ..rotated_at_zero(7)
        };
        let Decision::Advance(next) = decide(&session, 7, at(900_000)) else {
            panic!("must advance");
        };
        assert_eq!(next.late_recoveries, kept, "{counted:?}");
    }
}

#[test]
fn anything_two_or_more_behind_ends_the_session_even_within_the_overlap() {
    for presented in [0, 1, 4, 5] {
        assert_eq!(
            decide(&rotated_at_zero(7), presented, at(1)),
            Decision::End,
            "{presented}"
        );
    }
}

#[test]
fn a_counter_from_the_future_changes_nothing() {
    for presented in [8, 9, u32::MAX] {
        assert_eq!(
            decide(&rotated_at_zero(7), presented, at(1)),
            Decision::Unknown
        );
    }
}

#[test]
fn the_last_counter_ends_the_session_instead_of_wrapping() {
    assert_eq!(
        decide(&rotated_at_zero(u32::MAX), u32::MAX, at(1)),
        Decision::End
    );
    let before = rotated_at_zero(u32::MAX - 1);
    assert!(matches!(
        decide(&before, u32::MAX - 1, at(1)),
        Decision::Advance(_)
    ));
}

#[test]
fn the_overlap_is_ten_seconds_and_two_recoveries_are_allowed() {
    assert_eq!((OVERLAP, MAX_LATE_RECOVERIES), (Duration::from_secs(10), 2));
}
