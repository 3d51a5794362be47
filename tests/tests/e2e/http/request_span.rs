//! Tests the spans that a server exports to a collector of OpenTelemetry.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use e2e::{App, Engine, Options, log_lines, on_sqlite};
use serde_json::{Value, json};

use crate::sessions::fixtures::wait_until;

on_sqlite! {
    a_request_is_exported_as_a_span_of_the_trace_of_its_caller,
    a_request_without_a_trace_begins_one,
    a_trace_that_its_caller_does_not_record_is_not_exported,
    a_span_has_neither_a_path_nor_a_query,
    an_export_has_the_configured_headers_and_the_name_of_the_service,
    a_server_that_stops_exports_its_last_spans,
    spans_are_lost_while_the_collector_is_down_and_requests_are_not,
    a_collector_that_refuses_spans_is_named_in_the_log,
}

const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_ID: &str = "00f067aa0ba902b7";
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request that a collector got.
struct Export {
    /// The request line and the header fields, in lower case.
    head: Vec<String>,
    body: Value,
}

/// A collector that responds to every export with the same status.
struct Collector {
    url: String,
    exports: Receiver<Export>,
}

impl Collector {
    fn new(status: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, exports) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(export) = receive(&stream.unwrap(), status) else {
                    continue;
                };
                // The test has ended if nothing receives the export.
                if sender.send(export).is_err() {
                    break;
                }
            }
        });
        Self { url, exports }
    }

    fn next_export(&self) -> Export {
        self.exports.recv_timeout(TIMEOUT).expect("an export")
    }

    /// Returns the spans of the next export.
    fn next_spans(&self) -> Vec<Value> {
        let export = self.next_export();
        let spans = &export.body["resourceSpans"][0]["scopeSpans"][0]["spans"];
        spans.as_array().unwrap().clone()
    }
}

/// Reads one export, and responds to it. Returns `None` if the connection ends before the export is complete: a server
/// that stops cancels a running export, and sends its spans again.
fn receive(mut stream: &TcpStream, status: &str) -> Option<Export> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            field => head.push(field.to_lowercase()),
        }
    }
    let length = head
        .iter()
        .find_map(|field| field.strip_prefix("content-length: "));
    let mut body = vec![0; length?.parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    let response =
        format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
    stream.write_all(response.as_bytes()).ok()?;
    let body = serde_json::from_slice(&body).unwrap();
    Some(Export { head, body })
}

fn options(engine: Engine, url: &str) -> Options {
    App::on(engine).set("otel-exporter-otlp-endpoint", url)
}

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE_ID}-{SPAN_ID}-{flags}")
}

async fn a_request_is_exported_as_a_span_of_the_trace_of_its_caller(engine: Engine) {
    let collector = Collector::new("200 OK");
    let app = options(engine, &collector.url).start();
    let request = app.anonymous().get("/api/tasks/7");
    let response = request.header("traceparent", &traceparent("01")).await;
    let [span]: [Value; 1] = collector.next_spans().try_into().unwrap();
    assert_eq!(span["traceId"], TRACE_ID);
    assert_eq!(span["parentSpanId"], SPAN_ID);
    let own_id = span["spanId"].as_str().unwrap();
    let own_traceparent = format!("00-{TRACE_ID}-{own_id}-01");
    assert_eq!(
        response.header("traceparent"),
        Some(own_traceparent.as_str())
    );
    assert_eq!(span["name"], "GET /api/tasks/{task_id}");
    let expected_attributes = json!([
        { "key": "http.request.method", "value": { "stringValue": "GET" } },
        { "key": "http.response.status_code", "value": { "intValue": "401" } },
        { "key": "http.route", "value": { "stringValue": "/api/tasks/{task_id}" } },
    ]);
    assert_eq!(span["attributes"], expected_attributes);
    let nanoseconds = |field: &str| span[field].as_str().unwrap().parse::<u128>().unwrap();
    assert!(nanoseconds("startTimeUnixNano") <= nanoseconds("endTimeUnixNano"));
}

async fn a_request_without_a_trace_begins_one(engine: Engine) {
    let collector = Collector::new("200 OK");
    let app = options(engine, &collector.url).start();
    let response = app.anonymous().get("/healthz").await;
    let [span]: [Value; 1] = collector.next_spans().try_into().unwrap();
    assert_eq!(span["parentSpanId"], "");
    let (trace_id, span_id) = (span["traceId"].as_str(), span["spanId"].as_str());
    let own_traceparent = format!("00-{}-{}-01", trace_id.unwrap(), span_id.unwrap());
    assert_eq!(
        response.header("traceparent"),
        Some(own_traceparent.as_str())
    );
}

async fn a_trace_that_its_caller_does_not_record_is_not_exported(engine: Engine) {
    let collector = Collector::new("200 OK");
    let app = options(engine, &collector.url).start();
    for flags in ["00", "01"] {
        let request = app.anonymous().get("/healthz");
        request
            .header("traceparent", &traceparent(flags))
            .await
            .ok();
    }
    // The span of the request with the flags `00` would have been exported first.
    let response = app.anonymous().get("/readyz").await;
    response.ok();
    let mut spans = collector.next_spans();
    while spans.len() < 2 {
        spans.extend(collector.next_spans());
    }
    let names: Vec<_> = spans.iter().map(|span| &span["name"]).collect();
    assert_eq!(names, ["GET /healthz", "GET /readyz"]);
}

async fn a_span_has_neither_a_path_nor_a_query(engine: Engine) {
    let collector = Collector::new("200 OK");
    let app = options(engine, &collector.url).start();
    let path = "/api/0199-the-user/tasks/7?limit=the-query";
    app.anonymous().get(path).await.problem(401, "UNAUTHORIZED");
    let [span]: [Value; 1] = collector.next_spans().try_into().unwrap();
    let text = span.to_string();
    assert!(
        !text.contains("the-user") && !text.contains("the-query"),
        "{text}"
    );
}

async fn an_export_has_the_configured_headers_and_the_name_of_the_service(engine: Engine) {
    let collector = Collector::new("200 OK");
    let app = options(engine, &collector.url)
        .set(
            "otel-exporter-otlp-headers",
            "api-key=a%20secret,tenant=auth",
        )
        .set("otel-service-name", "the-service")
        .start();
    app.anonymous().get("/healthz").await.ok();
    let Export { head, body } = collector.next_export();
    assert_eq!(head[0], "post /v1/traces http/1.1");
    for field in [
        "content-type: application/json",
        "api-key: a secret",
        "tenant: auth",
    ] {
        assert!(head.iter().any(|line| line == field), "{field}: {head:?}");
    }
    let name = &body["resourceSpans"][0]["resource"]["attributes"][0];
    assert_eq!(name["value"]["stringValue"], "the-service");
}

async fn a_server_that_stops_exports_its_last_spans(engine: Engine) {
    let collector = Collector::new("200 OK");
    let app = options(engine, &collector.url).start();
    app.anonymous().get("/healthz").await.ok();
    drop(app.stop());
    let export = collector.next_export();
    assert!(export.body.to_string().contains("GET /healthz"));
}

/// Waits until the log has a line with both texts.
async fn until_logged(search: &str, text: &str) {
    wait_until(text, async || {
        log_lines::find(search)
            .iter()
            .any(|line| line.contains(text))
    })
    .await;
}

async fn spans_are_lost_while_the_collector_is_down_and_requests_are_not(engine: Engine) {
    let unused_port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let app = options(engine, &format!("http://{unused_port}")).start();
    app.user("ada").await.get("/api/tasks").await.ok();
    until_logged(&unused_port.to_string(), "spans are lost").await;
    app.anonymous().get("/healthz").await.ok();
}

async fn a_collector_that_refuses_spans_is_named_in_the_log(engine: Engine) {
    let collector = Collector::new("401 Unauthorized");
    let app = options(engine, &collector.url).start();
    app.anonymous().get("/healthz").await.ok();
    until_logged(&collector.url, "401 Unauthorized").await;
}
