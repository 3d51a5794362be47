//! Delays a result until the end of a time slot, so that its time does not show which work was done.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The length of a slot: far longer than storing a registration takes on a database that is not overloaded.
const SLOT: Duration = Duration::from_millis(50);

/// Does the work, and returns its result at the end of the slot in which the work ends. The slots follow each other
/// from the start of the work, so the time of the result shows only in which slot the work ended.
pub(super) async fn delay_until_end_of_slot<T>(work: impl Future<Output = T>) -> T {
    let started_at = Instant::now();
    let result = work.await;
    sleep_until(started_at + end_of_slot(started_at.elapsed())).await;
    result
}

/// Returns the duration from the start of the work to the end of the slot that contains `duration`.
fn end_of_slot(duration: Duration) -> Duration {
    let slots = duration.as_nanos() / SLOT.as_nanos() + 1;
    SLOT.saturating_mul(u32::try_from(slots).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_rounded_up_to_the_end_of_its_slot() {
        for (micros, expected_millis) in [
            (0, 50),
            (1, 50),
            (49_999, 50),
            (50_000, 100),
            (99_999, 100),
            (100_000, 150),
        ] {
            let rounded = end_of_slot(Duration::from_micros(micros));
            assert_eq!(
                rounded,
                Duration::from_millis(expected_millis),
                "{micros} µs"
            );
        }
    }

    #[test]
    fn the_longest_duration_does_not_overflow() {
        assert!(end_of_slot(Duration::MAX) >= Duration::from_secs(60 * 60 * 24));
    }
}
