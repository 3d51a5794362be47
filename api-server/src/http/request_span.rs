//! Records a span for each request whose trace is recorded, if spans are exported.

use std::time::SystemTime;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode};

use crate::logging::otlp::{Span, SpanQueue};
use crate::logging::trace::TraceContext;
use crate::metrics::METHODS;

/// A request that is being handled.
pub(super) struct RequestSpan {
    queue: SpanQueue,
    trace: TraceContext,
    method: &'static str,
    started_at: SystemTime,
}

/// Begins a trace for a request without one, if spans are exported.
pub(super) fn new_trace(request: &ServiceRequest) -> Option<TraceContext> {
    let queue = request.app_data::<SpanQueue>();
    queue.map(|_spans_are_exported| TraceContext::begin(true))
}

impl RequestSpan {
    /// Returns `None` if no spans are exported, or if the flag `sampled` of the trace is not set.
    pub(super) fn begin(request: &ServiceRequest) -> Option<Self> {
        let queue = request.app_data::<SpanQueue>()?.clone();
        let trace = TraceContext::with_current(TraceContext::clone)?;
        trace.is_sampled().then(|| Self {
            queue,
            trace,
            method: name_of(request.method()),
            started_at: SystemTime::now(),
        })
    }

    /// Adds the span to the queue. There is no response if the handler panicked or failed.
    pub(super) fn end(self, response: Option<&ServiceResponse<BoxBody>>) {
        let route = response.and_then(|response| response.request().match_name());
        let internal_error = StatusCode::INTERNAL_SERVER_ERROR;
        self.queue.add(Span {
            trace: self.trace,
            route: route.map(ToOwned::to_owned),
            method: self.method,
            status: response
                .map_or(internal_error, ServiceResponse::status)
                .as_u16(),
            started_at: self.started_at,
            ended_at: SystemTime::now(),
        });
    }
}

/// Returns the name of a known method, and otherwise `_OTHER`, because a caller may send any text.
fn name_of(method: &Method) -> &'static str {
    let known_name = METHODS.into_iter().find(|name| *name == method.as_str());
    known_name.unwrap_or("_OTHER")
}
