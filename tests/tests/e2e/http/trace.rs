//! Tests the header `traceparent`, which assigns a request to a trace.

use e2e::{App, Engine, Request, Response, on_both_engines};

on_both_engines! {
    a_response_continues_the_trace_of_its_request,
    an_invalid_header_begins_a_new_trace,
    a_request_without_the_header_gets_none,
    a_response_to_a_page_of_another_origin_has_the_header,
}

const TRACEPARENT: &str = "traceparent";
const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const VALUE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Asserts that the response has a valid header, and returns its trace id, span id and flags.
#[track_caller]
fn trace_of(response: &Response) -> [String; 3] {
    let value = response.header(TRACEPARENT).expect("traceparent");
    let fields: Vec<_> = value.split('-').map(ToOwned::to_owned).collect();
    let [version, trace_id, span_id, flags] = fields.try_into().expect("four fields");
    assert_eq!(
        (version.as_str(), trace_id.len(), span_id.len()),
        ("00", 32, 16)
    );
    [trace_id, span_id, flags]
}

/// Builds requests to which a handler, an extractor, the defaults for an unknown path and an unknown method, and Better
/// Auth's check of the origin respond.
fn requests(app: &App) -> Vec<Request> {
    let caller = app.anonymous();
    let sign_in = caller.post("/api/auth/sign-in/email", "{}");
    vec![
        caller.get("/healthz"),
        caller.get("/api/tasks"),
        caller.get("/nothing"),
        caller.delete("/healthz"),
        sign_in.header("origin", "http://evil.example"),
    ]
}

async fn a_response_continues_the_trace_of_its_request(app: App) {
    let mut span_ids = Vec::new();
    for request in requests(&app) {
        let response = request.header(TRACEPARENT, VALUE).await;
        let [trace_id, span_id, flags] = trace_of(&response);
        assert_eq!(
            (trace_id.as_str(), flags.as_str()),
            (TRACE_ID, "01"),
            "{response:?}"
        );
        span_ids.push(span_id);
    }
    span_ids.push("00f067aa0ba902b7".to_owned());
    span_ids.sort();
    span_ids.dedup();
    assert_eq!(span_ids.len(), 6, "{span_ids:?}");
}

async fn an_invalid_header_begins_a_new_trace(app: App) {
    let caller = app.anonymous();
    let upper_case = VALUE.to_uppercase();
    let zeros = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
    let mut trace_ids = vec![TRACE_ID.to_owned()];
    for value in [
        "",
        "x",
        &VALUE[..54],
        &upper_case,
        &zeros,
        &VALUE.replace("00-4", "ff-4"),
    ] {
        let [trace_id, _, flags] =
            trace_of(&caller.get("/healthz").header(TRACEPARENT, value).await);
        assert_eq!(flags, "00", "{value}");
        trace_ids.push(trace_id);
    }
    let twice = caller.get("/healthz").header(TRACEPARENT, VALUE);
    let [trace_id, ..] = trace_of(&twice.header(TRACEPARENT, VALUE).await);
    trace_ids.push(trace_id);
    trace_ids.sort();
    trace_ids.dedup();
    assert_eq!(trace_ids.len(), 8, "{trace_ids:?}");
}

async fn a_request_without_the_header_gets_none(app: App) {
    for request in requests(&app) {
        assert_eq!(request.await.header(TRACEPARENT), None);
    }
}

async fn a_response_to_a_page_of_another_origin_has_the_header(engine: Engine) {
    let origin = "https://app.example.com";
    let app = App::on(engine).set("allowed-origins", origin).start();
    let request = app.anonymous().get("/healthz").header("origin", origin);
    let response = request.header(TRACEPARENT, VALUE).await;
    assert_eq!(trace_of(&response)[0], TRACE_ID);
    assert_eq!(response.header("access-control-allow-origin"), Some(origin));
}
