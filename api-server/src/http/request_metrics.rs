//! Counts the requests of a worker by route, method and status, and measures their durations.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;

use crate::metrics::{Metrics, OTHER_LABEL, OTHER_ROUTE, RouteMetrics};

/// The counters of all routes that a worker has served so far. A worker has its own map, so only its first request of a
/// route takes a lock.
pub(crate) struct RequestMetrics {
    metrics: Metrics,
    /// The counters by the name of a route. `routes.rs` limits their number.
    routes: RefCell<HashMap<String, Arc<RouteMetrics>>>,
    /// The counters of requests without a route, and of those without a response.
    other: Arc<RouteMetrics>,
}

impl RequestMetrics {
    /// Returns `None` if no metrics are recorded.
    pub(crate) fn new(metrics: &Metrics) -> Option<Self> {
        Some(Self {
            metrics: metrics.clone(),
            routes: RefCell::default(),
            other: metrics.route_metrics(OTHER_ROUTE)?,
        })
    }

    pub(super) fn record(&self, response: &ServiceResponse<BoxBody>, duration: Duration) {
        let (method, status) = (response.request().method(), response.status());
        let record =
            |route: &RouteMetrics| route.record(method.as_str(), status.as_u16(), duration);
        // Only the routes of `routes.rs` have names.
        match response.request().match_name() {
            None => record(&self.other),
            Some(name) => self.with_route(name, record),
        }
    }

    /// Records a request that has no response, because its handler panicked or failed. Its method and its route are not
    /// known.
    pub(super) fn record_failure(&self, duration: Duration) {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        self.other.record(OTHER_LABEL, status.as_u16(), duration);
    }

    fn with_route(&self, name: &str, record: impl Fn(&RouteMetrics)) {
        if let Some(route) = self.routes.borrow().get(name) {
            record(route);
            return;
        }
        if let Some(route) = self.metrics.route_metrics(name) {
            record(&route);
            self.routes.borrow_mut().insert(name.to_owned(), route);
        }
    }
}
