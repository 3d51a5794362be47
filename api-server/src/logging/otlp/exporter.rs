//! Sends the spans to the collector in batches, until the server stops.

use std::error::Error;
use std::iter::successors;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::encoding::encode;
use super::{OtlpSettings, Span, SpanQueue};

/// The most spans of a batch.
const MAX_BATCH: usize = 512;
/// The time for which a batch that is not full waits for more spans.
const BATCH_TIMEOUT: Duration = Duration::from_millis(500);
/// The time limit for one export.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit for the export of the last spans when the server stops.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Exports the spans of a queue, in a task that [`start`](Self::start) begins.
pub(crate) struct SpanExporter {
    client: Client,
    url: Url,
    service_name: String,
    spans: Receiver<Span>,
    /// The number of spans that were dropped, because the queue was full or the collector did not accept them.
    lost: Arc<AtomicU64>,
    is_failing: bool,
}

/// The task that exports the spans.
pub(crate) struct RunningExporter {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl SpanExporter {
    /// Creates the exporter and its queue.
    ///
    /// # Errors
    ///
    /// If the certificates of the system cannot be used.
    pub(crate) fn new(settings: OtlpSettings) -> Result<(SpanQueue, Self), reqwest::Error> {
        let mut headers = settings.headers;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let client = Client::builder()
            .default_headers(headers)
            .timeout(EXPORT_TIMEOUT)
            .redirect(Policy::none())
            .build()?;
        let (queue, spans, lost) = SpanQueue::new();
        let exporter = Self {
            client,
            url: settings.url,
            service_name: settings.service_name,
            spans,
            lost,
            is_failing: false,
        };
        Ok((queue, exporter))
    }

    /// Starts the task that exports the spans.
    pub(crate) fn start(self) -> RunningExporter {
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(self.run(stopped));
        RunningExporter { stop, task }
    }

    async fn run(mut self, stopped: oneshot::Receiver<()>) {
        let mut batch = Vec::with_capacity(MAX_BATCH);
        tokio::select! {
            () = self.export_until_closed(&mut batch) => {}
            _ = stopped => {}
        }
        let is_over = timeout(FLUSH_TIMEOUT, self.flush(&mut batch))
            .await
            .is_err();
        let left = if is_over {
            batch.len() + self.spans.len()
        } else {
            0
        };
        let lost = self.lost.load(Ordering::Relaxed) + left as u64;
        if lost > 0 {
            log::warn!("{lost} spans were not exported");
        }
    }

    /// Exports spans until no request can add a span any more. A span stays in `batch` until its export has ended, so
    /// that [`flush`](Self::flush) exports it if this future is dropped before.
    async fn export_until_closed(&mut self, batch: &mut Vec<Span>) {
        while self.spans.recv_many(batch, MAX_BATCH).await > 0 {
            let fill = async {
                while batch.len() < MAX_BATCH {
                    let room = MAX_BATCH - batch.len();
                    if self.spans.recv_many(batch, room).await == 0 {
                        break;
                    }
                }
            };
            let _is_full = timeout(BATCH_TIMEOUT, fill).await;
            self.export(batch).await;
        }
    }

    /// Exports the spans in `batch` and all that wait in the queue.
    async fn flush(&mut self, batch: &mut Vec<Span>) {
        loop {
            while batch.len() < MAX_BATCH
                && let Ok(span) = self.spans.try_recv()
            {
                batch.push(span);
            }
            if batch.is_empty() {
                return;
            }
            self.export(batch).await;
        }
    }

    async fn export(&mut self, batch: &mut Vec<Span>) {
        let body = encode(&self.service_name, batch).to_string();
        let result = self.send(body).await;
        if result.is_err() {
            self.lost.fetch_add(batch.len() as u64, Ordering::Relaxed);
        }
        batch.clear();
        self.report(result.err());
    }

    /// Logs the first of consecutive failures, and the first success after them.
    fn report(&mut self, failure: Option<reqwest::Error>) {
        let was_failing = self.is_failing;
        self.is_failing = failure.is_some();
        match failure {
            Some(cause) if !was_failing => {
                let url = &self.url;
                let cause = with_sources(&cause);
                log::warn!("spans are lost, because {url} does not accept them: {cause}");
            }
            None if was_failing => {
                let lost = self.lost.load(Ordering::Relaxed);
                log::info!("spans are exported again; {lost} were lost");
            }
            _ => {}
        }
    }

    async fn send(&self, body: String) -> Result<(), reqwest::Error> {
        let response = self.client.post(self.url.clone()).body(body).send().await;
        let outcome = response.and_then(reqwest::Response::error_for_status);
        outcome.map(drop).map_err(reqwest::Error::without_url)
    }
}

/// Returns the error with the errors that caused it.
fn with_sources(error: &(dyn Error + 'static)) -> String {
    let causes = successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl RunningExporter {
    /// Exports the spans that wait, and ends the task. Spans that are not exported within [`FLUSH_TIMEOUT`] are lost.
    pub(crate) async fn stop(self) {
        let _already_ended = self.stop.send(());
        let _panicked = self.task.await;
    }
}
