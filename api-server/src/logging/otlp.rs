//! Exports spans, one for each request whose trace is recorded, to a collector of OpenTelemetry, by OTLP over HTTP with
//! JSON.
//!
//! A request only puts its span into a queue, whose length is bounded. A task sends the spans in batches, and drops
//! those that the collector does not accept.

mod encoding;
mod exporter;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use reqwest::Url;
use reqwest::header::HeaderMap;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::trace::TraceContext;
pub(crate) use exporter::SpanExporter;

/// The most spans that wait. Further ones are dropped.
const MAX_WAITING: usize = 2048;

/// The settings of the export.
#[derive(Clone, Debug)]
pub(crate) struct OtlpSettings {
    /// The address of the collector for spans, which ends with `/v1/traces`.
    pub(crate) url: Url,
    /// Headers of every export, such as the key of a collector that requires one.
    pub(crate) headers: HeaderMap,
    /// The name of this service in the traces.
    pub(crate) service_name: String,
}

/// A handled request.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) trace: TraceContext,
    /// The name of the route, usually its pattern in `routes.rs`; `None` for an address without a route, and for a
    /// request without a response.
    pub(crate) route: Option<String>,
    pub(crate) method: &'static str,
    pub(crate) status: u16,
    pub(crate) started_at: SystemTime,
    pub(crate) ended_at: SystemTime,
}

/// The spans that wait for the export.
#[derive(Clone)]
pub(crate) struct SpanQueue {
    sender: Sender<Span>,
    lost: Arc<AtomicU64>,
}

impl SpanQueue {
    /// Creates a queue. Also returns the receiver of its spans, and the counter of the spans that are dropped.
    fn new() -> (Self, Receiver<Span>, Arc<AtomicU64>) {
        let (sender, receiver) = channel(MAX_WAITING);
        let lost = Arc::<AtomicU64>::default();
        let queue = Self {
            sender,
            lost: Arc::clone(&lost),
        };
        (queue, receiver, lost)
    }

    /// Adds a span. Does not wait: if the queue is full, the span is dropped and counted.
    pub(crate) fn add(&self, span: Span) {
        if self.sender.try_send(span).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::UNIX_EPOCH;

    use super::{MAX_WAITING, Span, SpanQueue};
    use crate::logging::trace::TraceContext;

    #[test]
    fn a_span_beyond_the_bound_is_dropped_and_counted() {
        let (queue, mut receiver, lost) = SpanQueue::new();
        let span = Span {
            trace: TraceContext::begin(true),
            route: None,
            method: "GET",
            status: 200,
            started_at: UNIX_EPOCH,
            ended_at: UNIX_EPOCH,
        };
        for _ in 0..MAX_WAITING {
            queue.add(span.clone());
        }
        assert_eq!(lost.load(Ordering::Relaxed), 0);
        queue.add(span.clone());
        assert_eq!(lost.load(Ordering::Relaxed), 1);
        receiver.try_recv().unwrap();
        queue.add(span);
        assert_eq!(lost.load(Ordering::Relaxed), 1);
    }
}
