//! Writes spans as JSON, in the form of OTLP 1.x. Names of attributes are those of OpenTelemetry's conventions for
//! HTTP.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::Span;

/// The number of `SPAN_KIND_SERVER` in the enum `SpanKind` of OTLP.
const SPAN_KIND_SERVER: u8 = 2;
/// The number of `STATUS_CODE_ERROR` in the enum `StatusCode` of OTLP.
const STATUS_CODE_ERROR: u8 = 2;

/// Returns the body of an export.
pub(super) fn encode(service_name: &str, spans: &[Span]) -> Value {
    let encoded_spans: Vec<Value> = spans.iter().map(encode_span).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": [
            text_attribute("service.name", service_name),
            text_attribute("service.version", env!("CARGO_PKG_VERSION")),
        ] },
        "scopeSpans": [{ "scope": { "name": "api-server" }, "spans": encoded_spans }],
    }] })
}

fn encode_span(span: &Span) -> Value {
    let status_code = json!({ "intValue": span.status.to_string() });
    let mut attributes = vec![
        text_attribute("http.request.method", span.method),
        json!({ "key": "http.response.status_code", "value": status_code }),
    ];
    attributes.extend(
        span.route
            .as_deref()
            .map(|route| text_attribute("http.route", route)),
    );
    let name = span.route.as_deref().map_or_else(
        || span.method.to_owned(),
        |route| format!("{} {route}", span.method),
    );
    json!({
        "traceId": span.trace.trace_id(),
        "spanId": span.trace.span_id(),
        "parentSpanId": span.trace.caller_span_id().unwrap_or_default(),
        "name": name,
        "kind": SPAN_KIND_SERVER,
        "startTimeUnixNano": unix_nanos(span.started_at),
        "endTimeUnixNano": unix_nanos(span.ended_at),
        "attributes": attributes,
        "status": if span.status >= 500 { json!({ "code": STATUS_CODE_ERROR }) } else { json!({}) },
    })
}

fn text_attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

/// Returns the nanoseconds since 1970 as text: many JSON parsers round numbers of this size.
fn unix_nanos(time: SystemTime) -> String {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since_epoch.as_nanos().to_string()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use serde_json::json;

    use super::{Span, encode, encode_span};
    use crate::logging::trace::TraceContext;

    const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn span() -> Span {
        Span {
            trace: TraceContext::continue_or_begin(TRACEPARENT.as_bytes()),
            route: Some("/api/tasks/{task_id}".to_owned()),
            method: "GET",
            status: 404,
            started_at: UNIX_EPOCH + Duration::from_nanos(1_795_179_471_869_123_456),
            ended_at: UNIX_EPOCH + Duration::from_nanos(1_795_179_471_869_123_999),
        }
    }

    #[test]
    fn a_span_has_the_ids_of_its_trace_and_the_route() {
        let span = span();
        let expected = json!({
            "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
            "spanId": span.trace.span_id(),
            "parentSpanId": "00f067aa0ba902b7",
            "name": "GET /api/tasks/{task_id}",
            "kind": 2,
            "startTimeUnixNano": "1795179471869123456",
            "endTimeUnixNano": "1795179471869123999",
            "attributes": [
                { "key": "http.request.method", "value": { "stringValue": "GET" } },
                { "key": "http.response.status_code", "value": { "intValue": "404" } },
                { "key": "http.route", "value": { "stringValue": "/api/tasks/{task_id}" } },
            ],
            "status": {},
        });
        assert_eq!(encode_span(&span), expected);
    }

    #[test]
    fn a_span_without_a_caller_or_a_route_has_neither() {
        let span = Span {
            trace: TraceContext::begin(true),
            route: None,
            ..span()
        };
        let encoded = encode_span(&span);
        assert_eq!(encoded["parentSpanId"], "");
        assert_eq!(encoded["name"], "GET");
        assert_eq!(encoded["attributes"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn only_an_error_of_the_server_is_an_error() {
        for (status, expected) in [
            (200, json!({})),
            (499, json!({})),
            (500, json!({ "code": 2 })),
            (503, json!({ "code": 2 })),
        ] {
            assert_eq!(encode_span(&Span { status, ..span() })["status"], expected);
        }
    }

    #[test]
    fn a_batch_names_the_service() {
        let body = encode("auth", &[span(), span()]);
        let resource = &body["resourceSpans"][0];
        let name = json!({ "key": "service.name", "value": { "stringValue": "auth" } });
        assert_eq!(resource["resource"]["attributes"][0], name);
        let spans = resource["scopeSpans"][0]["spans"].as_array();
        assert_eq!(spans.unwrap().len(), 2);
    }
}
