//! Computes the delay between two requests that are sent in the background.

use std::time::Duration;

/// The delay of the revocation feed after a successful request. Each failure in a row doubles it.
const SUCCESS_DELAY: Duration = Duration::from_millis(500);
/// The longest delay of the revocation feed, before multiplication by the random factor.
const MAX_DELAY: Duration = Duration::from_secs(8);

/// Returns the delay before the next request of the revocation feed: 0.5 s after a success; 1, 2, 4 and at most 8 s
/// after failures in a row.
///
/// After a failure the delay is multiplied by a random factor of 0.5 to 1.5, because many services may lose a server at
/// the same time and must not retry at the same time. `random` determines the factor: 0 means 0.5, `u32::MAX` 1.5.
pub(super) fn feed_delay(failure_count: u32, random: u32) -> Duration {
    if failure_count == 0 {
        return SUCCESS_DELAY;
    }
    retry_delay(failure_count, MAX_DELAY, random)
}

/// Returns the delay after failures in a row: 1, 2, 4 seconds and so on, at most `max_delay`, multiplied by the random
/// factor of [`feed_delay`].
pub(super) fn retry_delay(failure_count: u32, max_delay: Duration, random: u32) -> Duration {
    let exponential_delay = SUCCESS_DELAY
        .saturating_mul(2_u32.saturating_pow(failure_count))
        .min(max_delay);
    let random_fraction = f64::from(random) / f64::from(u32::MAX);
    exponential_delay.mul_f64(0.5 + random_fraction)
}

#[cfg(test)]
mod tests {
    use super::feed_delay;
    use std::time::Duration;

    const fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn the_delay_after_a_success_is_half_a_second() {
        assert_eq!(feed_delay(0, 7), millis(500));
    }

    #[test]
    fn failures_double_the_delay_up_to_8_seconds() {
        let half_of_range = u32::MAX / 2;
        for (failure_count, expected_millis) in [
            (1, 1000),
            (2, 2000),
            (3, 4000),
            (4, 8000),
            (5, 8000),
            (u32::MAX, 8000),
        ] {
            let actual_delay = feed_delay(failure_count, half_of_range);
            let difference = actual_delay.abs_diff(millis(expected_millis));
            assert!(difference < millis(1), "{failure_count}: {actual_delay:?}");
        }
    }

    #[test]
    fn the_random_factor_is_0_5_to_1_5() {
        assert_eq!(feed_delay(1, 0), millis(500));
        assert_eq!(feed_delay(1, u32::MAX), millis(1500));
    }
}
