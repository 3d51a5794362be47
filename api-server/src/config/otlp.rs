//! Checks the settings of the export of traces. Their names are those of OpenTelemetry's specification.

use clap::Args;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::parse::{self, ProblemCollector};
use super::raw::Settings;
use crate::logging::otlp::OtlpSettings;

// The settings as text. Not a doc comment, which would replace the first line of `--help`.
#[derive(Args, Clone)]
#[expect(
    clippy::struct_field_names,
    reason = "the flags and variables are named after the fields"
)]
pub(super) struct OtlpArguments {
    /// Collector of OpenTelemetry that gets a span of each request by OTLP over HTTP, such as `http://127.0.0.1:4318`.
    /// Off by default.
    #[arg(long, env, global = true, value_name = "URL")]
    otel_exporter_otlp_endpoint: Option<String>,

    /// Headers of each export, comma-separated, such as `api-key=abc`; values are percent-encoded.
    #[arg(
        long,
        env,
        global = true,
        value_name = "HEADERS",
        hide_env_values = true
    )]
    otel_exporter_otlp_headers: Option<String>,

    /// Name of this server in the traces.
    #[arg(
        long,
        env,
        global = true,
        value_name = "NAME",
        default_value = "api-server"
    )]
    otel_service_name: String,
}

impl Settings {
    /// Returns the settings: `Some(None)` if no collector is set, and `None` if a setting is invalid.
    #[expect(
        clippy::option_option,
        reason = "the outer `None` means a problem, the inner one that the setting is absent"
    )]
    pub(super) fn check_otlp(
        &self,
        problems: &mut ProblemCollector,
    ) -> Option<Option<OtlpSettings>> {
        let url_result = traces_url(self.otlp.otel_exporter_otlp_endpoint.as_deref());
        let url = problems.ok_or_record("OTEL_EXPORTER_OTLP_ENDPOINT", url_result);
        let headers_result = headers(self.otlp.otel_exporter_otlp_headers.as_deref());
        let headers = problems.ok_or_record("OTEL_EXPORTER_OTLP_HEADERS", headers_result);
        let name_result = parse::name(&self.otlp.otel_service_name);
        let service_name = problems.ok_or_record("OTEL_SERVICE_NAME", name_result);
        let (url, headers, service_name) = (url?, headers?, service_name?);
        Some(url.map(|url| OtlpSettings {
            url,
            headers,
            service_name,
        }))
    }
}

/// Returns the URL to which spans are sent, below the URL of the collector; `None` if the text is absent or empty.
fn traces_url(text: Option<&str>) -> Result<Option<Url>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    with_traces_path(text)
        .map(Some)
        .ok_or_else(|| {
            "use the URL of the collector, such as http://127.0.0.1:4318; a key or a password for it belongs in \
             OTEL_EXPORTER_OTLP_HEADERS"
                .to_owned()
        })
}

/// Appends the path for spans to the URL of a collector. Returns `None` if this is not an http or https URL, or if it
/// has a query, a user name or a password: these could be secret, and the log quotes the URL.
fn with_traces_path(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    let has_more = url.query().is_some() || !url.username().is_empty() || url.password().is_some();
    if has_more || !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let mut segments = url.path_segments_mut().ok()?;
    segments.pop_if_empty().extend(["v1", "traces"]);
    drop(segments);
    Some(url)
}

/// Parses comma-separated headers, whose values are percent-encoded.
fn headers(text: Option<&str>) -> Result<HeaderMap, String> {
    parse::comma_separated(text)
        .map(|entry| {
            parse_header(entry)
                .ok_or_else(|| "use names and values, such as api-key=abc,tenant=auth".to_owned())
        })
        .collect()
}

fn parse_header(entry: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = entry.split_once('=')?;
    let decoded_value = percent_decode_str(value.trim()).decode_utf8().ok()?;
    let mut value = HeaderValue::from_str(&decoded_value).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::from_bytes(name.trim().as_bytes()).ok()?, value))
}

#[cfg(test)]
mod tests {
    use super::{headers, traces_url};

    #[test]
    fn the_address_for_spans_is_below_that_of_the_collector() {
        for (text, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://otel.example/", "https://otel.example/v1/traces"),
            (
                "https://otel.example/auth/otlp",
                "https://otel.example/auth/otlp/v1/traces",
            ),
        ] {
            let url = traces_url(Some(text)).unwrap().unwrap();
            assert_eq!(url.as_str(), expected);
        }
        assert_eq!(traces_url(None), Ok(None));
        assert_eq!(traces_url(Some("")), Ok(None));
        for text in [
            "127.0.0.1:4318",
            "otel.example",
            "ftp://otel.example",
            "http://",
            "http://otel.example?key=1",
            "http://ada@otel.example",
            "http://:hunter2@otel.example",
        ] {
            traces_url(Some(text)).unwrap_err();
        }
    }

    #[test]
    fn headers_are_decoded_and_not_shown() {
        let parsed = headers(Some("api-key=a%20b, tenant = auth")).unwrap();
        assert_eq!(parsed["api-key"], "a b");
        assert_eq!(parsed["tenant"], "auth");
        assert!(!format!("{parsed:?}").contains("a b"));
        assert!(headers(None).unwrap().is_empty());
        for text in ["api-key", "api key=1", "=1", "key=%0A", "key=%ff"] {
            headers(Some(text)).unwrap_err();
        }
    }
}
