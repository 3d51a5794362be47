//! Writes all metrics in the text format of Prometheus (version 0.0.4).
//!
//! `prometheus-client` writes the format `OpenMetrics`, in which the descriptor of a counter has a name without
//! `_total`. In the format of this server, that would be another metric. So the descriptor of a counter has its full
//! name here, and its value is written as that of a gauge, without a suffix.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::histogram::HistogramSnapshot;
use super::{Recorder, event, wait};

/// A value that is read when the metrics are requested.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) kind: SampleKind,
    /// The only label and its value, if any.
    pub(crate) label: Option<(&'static str, &'static str)>,
    pub(crate) value: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SampleKind {
    /// A value that goes up and down.
    Gauge,
    /// A value that only grows.
    Counter,
}

impl Sample {
    pub(crate) const fn gauge(name: &'static str, help: &'static str, value: f64) -> Self {
        Self {
            name,
            help,
            kind: SampleKind::Gauge,
            label: None,
            value,
        }
    }
}

/// The counters, durations and samples of one response.
#[derive(Debug)]
struct Exposition {
    recorder: Arc<Recorder>,
    samples: Vec<Sample>,
}

/// The names and the values of labels.
type Labels<'a> = Vec<(&'a str, &'a str)>;

pub(super) fn render(recorder: Arc<Recorder>, samples: Vec<Sample>) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Exposition { recorder, samples }));
    let mut text = String::new();
    encode_registry(&mut text, &registry)?;
    Ok(text)
}

impl Collector for Exposition {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.encode_requests(&mut encoder)?;
        self.encode_counters(&mut encoder)?;
        self.encode_waits(&mut encoder)?;
        self.encode_samples(&mut encoder)
    }
}

impl Exposition {
    fn encode_requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let routes = self.recorder.requests.routes();
        let snapshots: Vec<_> = routes
            .iter()
            .flat_map(|(route, metrics)| {
                let snapshots = metrics.snapshots().into_iter();
                snapshots.map(move |snapshot| (route.as_str(), snapshot))
            })
            .collect();
        let mut requests = encoder.encode_descriptor(
            "api_server_http_requests_total",
            "Requests, by route, method and status.",
            None,
            MetricType::Counter,
        )?;
        for (route, snapshot) in &snapshots {
            for (status, count) in &snapshot.statuses {
                let labels = vec![
                    ("route", *route),
                    ("method", snapshot.method),
                    ("status", status),
                ];
                requests.encode_family(&labels)?.encode_gauge(count)?;
            }
        }
        let mut durations = encoder.encode_descriptor(
            "api_server_http_request_duration_seconds",
            "Time from the header of a request to the header of its response, by route and method.",
            None,
            MetricType::Histogram,
        )?;
        for (route, snapshot) in &snapshots {
            let labels = vec![("route", *route), ("method", snapshot.method)];
            encode_histogram(&mut durations, &labels, &snapshot.durations)?;
        }
        Ok(())
    }

    fn encode_counters(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        for family in event::FAMILIES {
            let mut metric =
                encoder.encode_descriptor(family.name, family.help, None, MetricType::Counter)?;
            for (event, value) in family.events {
                let count = self.recorder.counters.get(*event);
                match family.label {
                    "" => metric.encode_gauge(&count)?,
                    label => metric
                        .encode_family(&[(label, *value)])?
                        .encode_gauge(&count)?,
                }
            }
        }
        Ok(())
    }

    fn encode_waits(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        for family in &wait::FAMILIES {
            let mut metric =
                encoder.encode_descriptor(family.name, family.help, None, MetricType::Histogram)?;
            for (wait, value) in family.waits {
                let mut labels = vec![(family.label, *value)];
                labels.retain(|(label, _)| !label.is_empty());
                encode_histogram(&mut metric, &labels, &self.recorder.waits.snapshot(*wait))?;
            }
        }
        Ok(())
    }

    fn encode_samples(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        for sample in &self.samples {
            let kind = match sample.kind {
                SampleKind::Gauge => MetricType::Gauge,
                SampleKind::Counter => MetricType::Counter,
            };
            let mut metric = encoder.encode_descriptor(sample.name, sample.help, None, kind)?;
            match sample.label {
                None => metric.encode_gauge(&sample.value)?,
                Some(label) => metric
                    .encode_family(&[label])?
                    .encode_gauge(&sample.value)?,
            }
        }
        Ok(())
    }
}

fn encode_histogram(
    metric: &mut MetricEncoder<'_>,
    labels: &Labels<'_>,
    snapshot: &HistogramSnapshot,
) -> fmt::Result {
    let sum = snapshot.sum.as_secs_f64();
    let write = |metric: &mut MetricEncoder<'_>| {
        metric.encode_histogram::<NoLabelSet>(sum, snapshot.count, &snapshot.buckets, None)
    };
    // An empty list of labels would be written as `{}`.
    if labels.is_empty() {
        return write(metric);
    }
    write(&mut metric.encode_family(labels)?)
}
