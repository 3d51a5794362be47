//! Counts events and measures durations for Prometheus.
//!
//! Every counter is an atomic number. A request adds to it without a lock or an allocation, except the first request of
//! a worker to a route. Without `METRICS_ADDR`, nothing is counted. Values that exist anyway, such as the length of a
//! queue, are read when the metrics are requested: see `Sample`.

mod event;
mod exposition;
mod histogram;
mod requests;
mod wait;

use std::sync::Arc;
use std::time::{Duration, Instant};

use event::Counters;
pub(crate) use event::Event;
pub(crate) use exposition::{Sample, SampleKind};
#[cfg(feature = "otlp")]
pub(crate) use requests::METHODS;
use requests::Requests;
pub(crate) use requests::RouteMetrics;
pub(crate) use wait::Wait;
use wait::WaitHistograms;

/// The route of a request without a route of its own, such as one for an unknown path or one whose handler panicked.
pub(crate) const OTHER_ROUTE: &str = "other";
/// The label of a method or a status that is not listed.
pub(crate) const OTHER_LABEL: &str = "other";

/// Counts events and measures durations, or does nothing if the server has no `METRICS_ADDR`. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Option<Arc<Recorder>>);

/// The numbers that were counted since the start of the server.
#[derive(Debug, Default)]
struct Recorder {
    requests: Requests,
    counters: Counters,
    waits: WaitHistograms,
}

impl Metrics {
    /// Creates metrics that are recorded if `is_on`, or else do nothing. The default does nothing.
    pub(crate) fn new(is_on: bool) -> Self {
        Self(is_on.then(Arc::default))
    }

    pub(crate) fn count(&self, event: Event) {
        self.count_many(event, 1);
    }

    pub(crate) fn count_many(&self, event: Event, count: u64) {
        if let Some(recorder) = &self.0 {
            recorder.counters.add(event, count);
        }
    }

    pub(crate) fn record_wait(&self, wait: Wait, duration: Duration) {
        if let Some(recorder) = &self.0 {
            recorder.waits.record(wait, duration);
        }
    }

    /// Records the time since `started_at`.
    pub(crate) fn record_wait_since(&self, wait: Wait, started_at: Instant) {
        if let Some(recorder) = &self.0 {
            recorder.waits.record(wait, started_at.elapsed());
        }
    }

    /// Returns the counters of a route, which are created if they do not exist; `None` if nothing is recorded. The
    /// caller should keep the result, because this function takes a lock. `route` must be one of few names, because
    /// counters are never removed.
    pub(crate) fn route_metrics(&self, route: &str) -> Option<Arc<RouteMetrics>> {
        let recorder = self.0.as_ref()?;
        Some(recorder.requests.route_metrics(route))
    }

    /// Returns everything that was recorded, and the samples, in the text format of Prometheus.
    ///
    /// # Errors
    ///
    /// If a label cannot be written, which no label of this server causes.
    pub(crate) fn render(&self, samples: Vec<Sample>) -> Result<String, std::fmt::Error> {
        exposition::render(self.0.clone().unwrap_or_default(), samples)
    }
}

#[cfg(test)]
mod tests;
