//! Formats the progress of a piece of work: how much is done, the rate, and the time that is left.

use std::collections::VecDeque;
use std::time::Duration;

/// The most recent period, for which the rate is computed. A rate since the start would mislead, because an import
/// passes existing rows faster than it inserts new ones.
const RATE_WINDOW: Duration = Duration::from_secs(30);
/// The most samples of the window that are kept.
const MAX_SAMPLES: usize = 300;
const BYTES_PER_MB: f64 = 1e6;

/// The unit in which a piece of work is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    Lines,
    Rows,
    /// Nothing is counted, because the work is one step, such as a migration. Only the time is shown.
    Uncounted,
}

impl Unit {
    /// Returns the count with its unit, such as `12.3 MB` or `7 rows`.
    fn describe(self, count: u64) -> String {
        match self {
            Self::Bytes => format!("{:.1} MB", to_float(count) / BYTES_PER_MB),
            Self::Lines => format!("{count} lines"),
            Self::Rows => format!("{count} rows"),
            Self::Uncounted => String::new(),
        }
    }

    fn describe_rate(self, per_second: f64) -> String {
        match self {
            Self::Bytes => format!("{:.1} MB/s", per_second / BYTES_PER_MB),
            _ => format!("{per_second:.0}/s"),
        }
    }
}

/// Formats the progress of a piece of work, and keeps the samples that the rate is computed from.
#[derive(Debug)]
pub(super) struct ProgressFormatter {
    unit: Unit,
    total: Option<u64>,
    /// The times since the start and the counts of the last samples, the oldest first.
    samples: VecDeque<(Duration, u64)>,
}

impl ProgressFormatter {
    pub(super) fn new(unit: Unit, total: Option<u64>) -> Self {
        Self {
            unit,
            total,
            samples: VecDeque::from([(Duration::ZERO, 0)]),
        }
    }

    /// Describes the work while it runs, such as `250 of 1000 rows, 25 %, 50/s, 15 s left`.
    pub(super) fn describe_running(&mut self, done: u64, elapsed: Duration) -> String {
        if self.unit == Unit::Uncounted {
            return duration_text(elapsed);
        }
        let rate = self.rate(done, elapsed);
        let rate_text = rate.map_or_else(String::new, |rate| {
            format!(", {}", self.unit.describe_rate(rate))
        });
        let Some(total) = self.total.map(|total| total.max(done)) else {
            return format!("{}{rate_text}", self.unit.describe(done));
        };
        let (share, percent) = match total {
            0 => (self.unit.describe(0), 100),
            total => (self.unit.describe(total), percent_of(done, total)),
        };
        let done_text = self.unit.describe(done);
        let count = done_text.split(' ').next().unwrap_or_default();
        let left = rate.filter(|rate| *rate > 0.0).map(|rate| {
            let seconds = to_float(total - done) / rate;
            Duration::try_from_secs_f64(seconds.ceil()).unwrap_or(Duration::MAX)
        });
        let left_text = left.map_or_else(String::new, |left| {
            format!(", {} left", duration_text(left))
        });
        format!("{count} of {share}, {percent} %{rate_text}{left_text}")
    }

    /// Describes the whole work at its end, such as `1000 rows in 20 s, 50/s`.
    pub(super) fn describe_finished(&self, done: u64, elapsed: Duration) -> String {
        let time = duration_text(elapsed);
        if self.unit == Unit::Uncounted {
            return format!("done in {time}");
        }
        let count = self.unit.describe(done);
        let seconds = elapsed.as_secs_f64();
        if seconds <= 0.0 {
            return format!("{count} in {time}");
        }
        let rate = self.unit.describe_rate(to_float(done) / seconds);
        format!("{count} in {time}, {rate}")
    }

    /// Adds a sample, and returns the count per second in the window; `None` if no time has passed.
    fn rate(&mut self, done: u64, elapsed: Duration) -> Option<f64> {
        self.samples.push_back((elapsed, done));
        while self.samples.len() > MAX_SAMPLES
            || self
                .samples
                .get(1)
                .is_some_and(|(time, _)| elapsed.saturating_sub(*time) >= RATE_WINDOW)
        {
            self.samples.pop_front();
        }
        let (first_time, first_count) = self.samples.front()?;
        let seconds = elapsed.saturating_sub(*first_time).as_secs_f64();
        let count = to_float(done.saturating_sub(*first_count));
        (seconds > 0.0).then(|| count / seconds)
    }
}

fn percent_of(done: u64, total: u64) -> u128 {
    u128::from(done) * 100 / u128::from(total.max(1))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "figures for people have a few digits"
)]
fn to_float(count: u64) -> f64 {
    count as f64
}

/// Describes a duration in at most two units: `45 s`, `3 min 20 s` or `2 h 5 min`.
fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests;
