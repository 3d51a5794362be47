//! Counts durations in buckets, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the buckets, in microseconds. A duration above all bounds belongs to one more bucket.
const BOUNDS_MICROS: [u32; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];
const BUCKET_COUNT: usize = BOUNDS_MICROS.len() + 1;

/// The durations that were recorded.
#[derive(Debug)]
pub(super) struct Histogram {
    bucket_counts: [AtomicU64; BUCKET_COUNT],
    sum_nanos: AtomicU64,
}

/// The values of a histogram when they were read.
#[derive(Debug, PartialEq)]
pub(super) struct HistogramSnapshot {
    /// The number of durations.
    pub(super) count: u64,
    /// The sum of the durations.
    pub(super) sum: Duration,
    /// The upper bound of each bucket in seconds, and the number of durations in this bucket alone, that is, above the
    /// bound before.
    pub(super) buckets: Vec<(f64, u64)>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            bucket_counts: [const { AtomicU64::new(0) }; BUCKET_COUNT],
            sum_nanos: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    pub(super) fn record(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let mut bounds = BOUNDS_MICROS.iter();
        let position = bounds.position(|bound| nanos <= u64::from(*bound) * 1_000);
        if let Some(bucket_count) = self.bucket_counts.get(position.unwrap_or(BUCKET_COUNT - 1)) {
            bucket_count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    /// Returns the snapshot. The count is the sum of the buckets, also if other threads record at the same time.
    pub(super) fn snapshot(&self) -> HistogramSnapshot {
        let bounds = BOUNDS_MICROS.map(|bound| f64::from(bound) / 1e6);
        let counts = self.bucket_counts.iter();
        let counts = counts.map(|bucket_count| bucket_count.load(Ordering::Relaxed));
        let buckets: Vec<_> = bounds
            .into_iter()
            .chain([f64::INFINITY])
            .zip(counts)
            .collect();
        HistogramSnapshot {
            count: buckets.iter().map(|(_, count)| count).sum(),
            sum: Duration::from_nanos(self.sum_nanos.load(Ordering::Relaxed)),
            buckets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BOUNDS_MICROS, BUCKET_COUNT, Histogram};
    use std::time::Duration;

    fn filled_bucket(duration: Duration) -> usize {
        let histogram = Histogram::default();
        histogram.record(duration);
        let snapshot = histogram.snapshot();
        assert_eq!((snapshot.count, snapshot.sum), (1, duration));
        let mut buckets = snapshot.buckets.iter();
        buckets.position(|(_, count)| *count == 1).unwrap()
    }

    #[test]
    fn a_duration_belongs_to_the_first_bucket_whose_bound_it_does_not_exceed() {
        for (position, bound) in BOUNDS_MICROS.into_iter().enumerate() {
            let bound_nanos = u64::from(bound) * 1_000;
            let bucket_of = |nanos| filled_bucket(Duration::from_nanos(nanos));
            assert_eq!(bucket_of(bound_nanos - 1), position);
            assert_eq!(bucket_of(bound_nanos), position);
            assert_eq!(bucket_of(bound_nanos + 1), position + 1);
        }
        assert_eq!(filled_bucket(Duration::ZERO), 0);
        assert_eq!(filled_bucket(Duration::from_secs(3600)), BUCKET_COUNT - 1);
    }

    #[test]
    fn the_bounds_increase_and_are_in_seconds() {
        let buckets = Histogram::default().snapshot().buckets;
        assert!(buckets.is_sorted_by(|first, second| first.0 < second.0));
        assert!((buckets[0].0 - 0.0005).abs() < f64::EPSILON);
        assert!(buckets[BUCKET_COUNT - 1].0.is_infinite());
    }

    #[test]
    fn no_duration_is_lost_if_threads_record_at_the_same_time() {
        let histogram = Histogram::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        histogram.record(Duration::from_micros(1));
                    }
                });
            }
        });
        let snapshot = histogram.snapshot();
        assert_eq!(
            (snapshot.count, snapshot.sum),
            (4_000, Duration::from_millis(4))
        );
    }
}
