//! Counts requests by route, method and status, and measures their durations by route and method.
//!
//! The labels are bounded: a route has the name that `routes.rs` declares for it. Any other path, and any method or
//! status that is not listed here, has the label `other`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::OTHER_LABEL;
use super::histogram::{Histogram, HistogramSnapshot};

/// The methods with a name in metrics and spans. The most frequent ones come first, because a search starts with them.
pub(crate) const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
const METHOD_COUNT: usize = METHODS.len() + 1;
/// The statuses with a label: those that the server, actix-web or the CORS middleware responds with. The most frequent
/// ones come first, because a search starts with them.
const STATUSES: [u16; 28] = [
    200, 201, 204, 202, 401, 404, 302, 303, 304, 307, 308, 400, 403, 405, 406, 408, 409, 410, 411,
    412, 413, 415, 422, 429, 431, 500, 501, 503,
];
const STATUS_COUNT: usize = STATUSES.len() + 1;

/// The requests of all routes.
#[derive(Debug, Default)]
pub(super) struct Requests(Mutex<BTreeMap<String, Arc<RouteMetrics>>>);

/// The requests of one route.
#[derive(Debug, Default)]
pub(crate) struct RouteMetrics([MethodMetrics; METHOD_COUNT]);

/// The requests of one route with one method.
#[derive(Debug)]
struct MethodMetrics {
    status_counts: [AtomicU64; STATUS_COUNT],
    durations: Histogram,
}

impl Default for MethodMetrics {
    fn default() -> Self {
        Self {
            status_counts: [const { AtomicU64::new(0) }; STATUS_COUNT],
            durations: Histogram::default(),
        }
    }
}

/// The values that [`MethodMetrics`] had when they were read.
#[derive(Debug)]
pub(super) struct MethodSnapshot {
    pub(super) method: &'static str,
    /// The number of responses of each status that occurred.
    pub(super) statuses: Vec<(String, u64)>,
    pub(super) durations: HistogramSnapshot,
}

impl Requests {
    /// Returns the counters of this route, which are created if they do not exist.
    pub(super) fn route_metrics(&self, route: &str) -> Arc<RouteMetrics> {
        let mut routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(metrics) = routes.get(route) {
            return Arc::clone(metrics);
        }
        let metrics = Arc::<RouteMetrics>::default();
        routes.insert(route.to_owned(), Arc::clone(&metrics));
        metrics
    }

    /// Returns the routes in alphabetical order.
    pub(super) fn routes(&self) -> Vec<(String, Arc<RouteMetrics>)> {
        let routes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let routes = routes.iter();
        routes
            .map(|(route, metrics)| (route.clone(), Arc::clone(metrics)))
            .collect()
    }
}

impl RouteMetrics {
    pub(crate) fn record(&self, method: &str, status: u16, duration: Duration) {
        let mut methods = METHODS.iter();
        let position = methods.position(|listed| *listed == method);
        if let Some(metrics) = self.0.get(position.unwrap_or(METHODS.len())) {
            metrics.record(status, duration);
        }
    }

    /// Returns a snapshot of each method that occurred.
    pub(super) fn snapshots(&self) -> Vec<MethodSnapshot> {
        let methods = METHODS.into_iter().chain([OTHER_LABEL]).zip(&self.0);
        let snapshots = methods.map(|(method, metrics)| metrics.snapshot(method));
        snapshots
            .filter(|snapshot| !snapshot.statuses.is_empty())
            .collect()
    }
}

impl MethodMetrics {
    fn record(&self, status: u16, duration: Duration) {
        let position = STATUSES.iter().position(|listed| *listed == status);
        if let Some(count) = self.status_counts.get(position.unwrap_or(STATUSES.len())) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.durations.record(duration);
    }

    fn snapshot(&self, method: &'static str) -> MethodSnapshot {
        let labels = STATUSES.iter().map(ToString::to_string);
        let labels = labels.chain([OTHER_LABEL.to_owned()]);
        let counts = self.status_counts.iter();
        let counts = counts.map(|count| count.load(Ordering::Relaxed));
        MethodSnapshot {
            method,
            statuses: labels.zip(counts).filter(|(_, count)| *count > 0).collect(),
            durations: self.durations.snapshot(),
        }
    }
}
