//! Tests the texts that describe the progress of work.

use std::time::Duration;

use super::{MAX_SAMPLES, ProgressFormatter, Unit, duration_text};

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

#[test]
fn work_with_a_total_has_share_rate_and_time_left() {
    let mut formatter = ProgressFormatter::new(Unit::Rows, Some(1000));
    assert_eq!(
        formatter.describe_running(250, seconds(5)),
        "250 of 1000 rows, 25 %, 50/s, 15 s left"
    );
    assert_eq!(
        formatter.describe_running(1000, seconds(20)),
        "1000 of 1000 rows, 100 %, 50/s, 0 s left"
    );
}

#[test]
fn work_without_a_total_has_count_and_rate() {
    let mut formatter = ProgressFormatter::new(Unit::Lines, None);
    assert_eq!(
        formatter.describe_running(300, seconds(3)),
        "300 lines, 100/s"
    );
}

#[test]
fn bytes_are_shown_in_megabytes() {
    let mut formatter = ProgressFormatter::new(Unit::Bytes, Some(60_000_000));
    assert_eq!(
        formatter.describe_running(12_340_000, seconds(10)),
        "12.3 of 60.0 MB, 20 %, 1.2 MB/s, 39 s left"
    );
    assert_eq!(
        formatter.describe_finished(60_000_000, seconds(30)),
        "60.0 MB in 30 s, 2.0 MB/s"
    );
}

#[test]
fn one_statement_of_the_database_has_only_its_time() {
    let mut formatter = ProgressFormatter::new(Unit::Uncounted, None);
    assert_eq!(formatter.describe_running(0, seconds(65)), "1 min 5 s");
    assert_eq!(
        formatter.describe_finished(0, seconds(66)),
        "done in 1 min 6 s"
    );
}

#[test]
fn before_any_time_has_passed_there_is_neither_rate_nor_time_left() {
    let mut formatter = ProgressFormatter::new(Unit::Rows, Some(10));
    assert_eq!(
        formatter.describe_running(0, Duration::ZERO),
        "0 of 10 rows, 0 %"
    );
    assert_eq!(
        formatter.describe_finished(10, Duration::ZERO),
        "10 rows in 0 s"
    );
}

#[test]
fn work_that_stands_still_has_no_time_left() {
    let mut formatter = ProgressFormatter::new(Unit::Rows, Some(10));
    assert_eq!(
        formatter.describe_running(0, seconds(1)),
        "0 of 10 rows, 0 %, 0/s"
    );
}

#[test]
fn a_total_that_was_too_small_grows_with_the_count() {
    let mut formatter = ProgressFormatter::new(Unit::Rows, Some(10));
    assert_eq!(
        formatter.describe_running(11, seconds(1)),
        "11 of 11 rows, 100 %, 11/s, 0 s left"
    );
    let mut nothing_to_do = ProgressFormatter::new(Unit::Rows, Some(0));
    assert!(
        nothing_to_do
            .describe_running(0, seconds(1))
            .starts_with("0 of 0 rows, 100 %")
    );
}

#[test]
fn the_rate_is_that_of_the_last_half_minute() {
    let mut formatter = ProgressFormatter::new(Unit::Rows, None);
    for second in 1..=10 {
        formatter.describe_running(second * 1000, seconds(second));
    }
    for second in 11..=39 {
        formatter.describe_running(10_000 + (second - 10) * 10, seconds(second));
    }
    assert_eq!(
        formatter.describe_running(10_300, seconds(40)),
        "10300 rows, 10/s"
    );
}

#[test]
fn the_number_of_samples_is_bounded() {
    let mut formatter = ProgressFormatter::new(Unit::Rows, None);
    for millis in 0..2 * MAX_SAMPLES as u64 {
        formatter.describe_running(millis, Duration::from_millis(millis));
    }
    assert_eq!(formatter.samples.len(), MAX_SAMPLES);
}

#[test]
fn a_duration_has_its_two_largest_units() {
    for (count, text) in [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min 0 s"),
        (200, "3 min 20 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (7500, "2 h 5 min"),
    ] {
        assert_eq!(duration_text(seconds(count)), text);
    }
    assert!(duration_text(Duration::MAX).ends_with(" min"));
}
