//! When to ask again.

use std::time::Duration;

/// How often a server that answers is asked.
const INTERVAL: Duration = Duration::from_millis(500);
/// A server that does not answer is asked at least this often.
const SLOWEST: Duration = Duration::from_secs(8);

/// Twice as long after each failure in a row, and up to a half more or less, so that services that lost a server at
/// one moment do not all come back at one moment. `random` is any number.
pub(super) fn pause(failures: u32, random: u32) -> Duration {
    if failures == 0 {
        return INTERVAL;
    }
    let steady = INTERVAL
        .saturating_mul(2_u32.saturating_pow(failures))
        .min(SLOWEST);
    let share = f64::from(random) / f64::from(u32::MAX);
    steady.mul_f64(0.5 + share)
}

#[cfg(test)]
mod tests {
    use super::pause;
    use std::time::Duration;

    const fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_server_that_answers_is_asked_twice_a_second() {
        assert_eq!(pause(0, 7), millis(500));
    }

    #[test]
    fn failures_double_the_pause_up_to_8_seconds() {
        let half = u32::MAX / 2;
        for (failures, expected) in [
            (1, 1000),
            (2, 2000),
            (3, 4000),
            (4, 8000),
            (5, 8000),
            (u32::MAX, 8000),
        ] {
            let pause = pause(failures, half);
            let difference = pause.abs_diff(millis(expected));
            assert!(difference < millis(1), "{failures}: {pause:?}");
        }
    }

    #[test]
    fn chance_spreads_it_by_a_half() {
        assert_eq!(pause(1, 0), millis(500));
        assert_eq!(pause(1, u32::MAX), millis(1500));
    }
}
