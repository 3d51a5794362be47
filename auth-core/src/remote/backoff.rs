//! The delay between two requests of the feed.

use std::time::Duration;

/// The delay after a successful request.
const INTERVAL: Duration = Duration::from_millis(500);
/// The longest delay, before it is randomised.
const MAX_DELAY: Duration = Duration::from_secs(8);

/// Returns the delay before the next request: 0.5 s after a success, 1, 2, 4 and at most 8 s after failures.
///
/// After a failure it is randomised to 50 to 150 %, so that services which lost a server at the same time do not all
/// retry at the same time. `random` is a uniformly distributed random number.
pub(super) fn delay(failures: u32, random: u32) -> Duration {
    if failures == 0 {
        return INTERVAL;
    }
    let exponential = INTERVAL
        .saturating_mul(2_u32.saturating_pow(failures))
        .min(MAX_DELAY);
    let jitter = f64::from(random) / f64::from(u32::MAX);
    exponential.mul_f64(0.5 + jitter)
}

#[cfg(test)]
mod tests {
    use super::delay;
    use std::time::Duration;

    const fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_server_that_responds_is_polled_twice_a_second() {
        assert_eq!(delay(0, 7), millis(500));
    }

    #[test]
    fn failures_double_the_delay_up_to_8_seconds() {
        let half = u32::MAX / 2;
        for (failures, expected) in [
            (1, 1000),
            (2, 2000),
            (3, 4000),
            (4, 8000),
            (5, 8000),
            (u32::MAX, 8000),
        ] {
            let delay = delay(failures, half);
            let difference = delay.abs_diff(millis(expected));
            assert!(difference < millis(1), "{failures}: {delay:?}");
        }
    }

    #[test]
    fn jitter_changes_the_delay_by_up_to_a_half() {
        assert_eq!(delay(1, 0), millis(500));
        assert_eq!(delay(1, u32::MAX), millis(1500));
    }
}
