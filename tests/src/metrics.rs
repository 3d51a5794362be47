//! Reads the text format of Prometheus.

use std::collections::BTreeMap;

/// The metrics of a server at one time: the values by name and labels, as text.
#[derive(Debug, Clone)]
pub struct Metrics(BTreeMap<String, String>);

impl Metrics {
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let values = lines.map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a name and a value");
            (series.to_owned(), value.to_owned())
        });
        Self(values.collect())
    }

    /// Returns the value of a series, such as `process_open_fds` or `logins_total{outcome="refused"}`; `None` if there
    /// is no such series. Panics if the value is not a whole number. The prefix `api_server_` may be left out.
    #[must_use]
    #[track_caller]
    pub fn find(&self, series: &str) -> Option<i64> {
        let value = self.text(series)?;
        let whole_number = value.strip_suffix(".0").unwrap_or(value);
        Some(whole_number.parse().expect("a whole number"))
    }

    /// Returns the value of a series. Panics if there is no such series, or if the value is not a whole number.
    #[must_use]
    #[track_caller]
    pub fn count(&self, series: &str) -> i64 {
        let count = self.find(series);
        count.unwrap_or_else(|| panic!("no metric {series}: {:#?}", self.0))
    }

    /// Returns the value of a series. Panics if there is no such series.
    #[must_use]
    #[track_caller]
    pub fn value(&self, series: &str) -> f64 {
        let value = self.text(series);
        let value = value.unwrap_or_else(|| panic!("no metric {series}: {:#?}", self.0));
        value.parse().expect("a number")
    }

    fn text(&self, series: &str) -> Option<&str> {
        let full_name = format!("api_server_{series}");
        let value = self.0.get(&full_name).or_else(|| self.0.get(series));
        value.map(String::as_str)
    }

    /// Returns the series whose names begin with this text.
    #[must_use]
    pub fn series(&self, start: &str) -> Vec<&str> {
        let series = self.0.keys().map(String::as_str);
        series.filter(|series| series.starts_with(start)).collect()
    }

    /// Returns the series, without the prefix `api_server_`, that differ from `earlier`, each with the difference.
    /// Leaves out the series that may change at any time: those of the process, HTTP requests, connections and queues,
    /// and durations.
    #[must_use]
    pub fn changes_since(&self, earlier: &Self) -> Vec<(&str, i64)> {
        const VARIABLE: [&str; 5] = [
            "process_",
            "_seconds",
            "http_",
            "connections",
            "queue_length",
        ];
        let is_compared = |series: &&str| !VARIABLE.iter().any(|part| series.contains(part));
        let series = self.series("api_server_").into_iter().filter(is_compared);
        let differences = series.map(|series| {
            let difference = self.count(series) - earlier.find(series).unwrap_or_default();
            (series.trim_start_matches("api_server_"), difference)
        });
        differences
            .filter(|(_, difference)| *difference != 0)
            .collect()
    }
}
