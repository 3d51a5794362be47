//! Tests of the text that Prometheus reads.

use std::time::Duration;

use super::{Event, Metrics, OTHER_ROUTE, Sample, Wait};

fn lines(metrics: &Metrics) -> Vec<String> {
    let text = metrics.render(Vec::new()).unwrap();
    text.lines().map(ToOwned::to_owned).collect()
}

fn assert_has_line(metrics: &Metrics, line: &str) {
    let lines = lines(metrics);
    assert!(
        lines.iter().any(|other| other == line),
        "{line}\n{lines:#?}"
    );
}

fn record_request(metrics: &Metrics, route: &str, method: &str, status: u16) {
    let route_metrics = metrics.route_metrics(route).unwrap();
    route_metrics.record(method, status, Duration::from_millis(2));
}

#[test]
fn a_request_is_counted_by_route_method_and_status_and_its_duration_by_route_and_method() {
    let metrics = Metrics::new(true);
    record_request(&metrics, "/api/tasks/{task_id}", "GET", 200);
    record_request(&metrics, "/api/tasks/{task_id}", "GET", 200);
    record_request(&metrics, "/api/tasks/{task_id}", "GET", 401);
    record_request(&metrics, "/api/tasks/{task_id}", "DELETE", 200);
    let labels = r#"route="/api/tasks/{task_id}",method="GET""#;
    for line in [
        "# TYPE api_server_http_requests_total counter".to_owned(),
        format!(r#"api_server_http_requests_total{{{labels},status="200"}} 2"#),
        format!(r#"api_server_http_requests_total{{{labels},status="401"}} 1"#),
        "# TYPE api_server_http_request_duration_seconds histogram".to_owned(),
        format!("api_server_http_request_duration_seconds_count{{{labels}}} 3"),
        format!("api_server_http_request_duration_seconds_sum{{{labels}}} 0.006"),
        format!(r#"api_server_http_request_duration_seconds_bucket{{le="0.001",{labels}}} 0"#),
        format!(r#"api_server_http_request_duration_seconds_bucket{{le="0.0025",{labels}}} 3"#),
        format!(r#"api_server_http_request_duration_seconds_bucket{{le="+Inf",{labels}}} 3"#),
    ] {
        assert_has_line(&metrics, &line);
    }
}

#[test]
fn unknown_methods_and_statuses_share_one_label() {
    let metrics = Metrics::new(true);
    for method in ["BREW", "get", "PROPFIND", ""] {
        record_request(&metrics, OTHER_ROUTE, method, 404);
    }
    for status in [299, 418, 599, 65535] {
        record_request(&metrics, OTHER_ROUTE, "GET", status);
    }
    let route = r#"api_server_http_requests_total{route="other""#;
    assert_has_line(
        &metrics,
        &format!(r#"{route},method="other",status="404"}} 4"#),
    );
    assert_has_line(
        &metrics,
        &format!(r#"{route},method="GET",status="other"}} 4"#),
    );
    let lines = lines(&metrics);
    assert_eq!(
        lines.iter().filter(|line| line.starts_with(route)).count(),
        2
    );
}

#[test]
fn counters_start_at_zero_so_that_the_first_event_is_an_increase() {
    let metrics = Metrics::new(true);
    assert_has_line(&metrics, r#"api_server_logins_total{outcome="refused"} 0"#);
    assert_has_line(&metrics, "api_server_sessions_opened_total 0");
    metrics.count(Event::LoginRefused);
    metrics.count_many(Event::RevocationFollowed, 3);
    assert_has_line(&metrics, r#"api_server_logins_total{outcome="refused"} 1"#);
    assert_has_line(
        &metrics,
        r#"api_server_logins_total{outcome="succeeded"} 0"#,
    );
    assert_has_line(&metrics, "api_server_revocations_followed_total 3");
}

#[test]
fn waits_are_recorded_by_queue() {
    let metrics = Metrics::new(true);
    metrics.record_wait(Wait::DatabaseWriter, Duration::from_millis(1));
    metrics.record_wait(Wait::PasswordHash, Duration::from_secs(2));
    let database = "api_server_database_wait_seconds_count";
    assert_has_line(&metrics, &format!(r#"{database}{{queue="writer"}} 1"#));
    assert_has_line(&metrics, &format!(r#"{database}{{queue="threads"}} 0"#));
    assert_has_line(&metrics, "api_server_password_hash_wait_seconds_sum 2.0");
}

#[test]
fn every_metric_has_one_help_and_one_type_before_its_values() {
    let samples = vec![Sample::gauge("api_server_example", "An example.", 1.5)];
    let metrics = Metrics::new(true);
    record_request(&metrics, "/", "GET", 200);
    let text = metrics.render(samples).unwrap();
    let mut names = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            names.push(rest.split(' ').next().unwrap());
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            assert_eq!(rest.split(' ').next(), names.last().copied());
        } else {
            assert!(line.starts_with(names.last().unwrap()), "{line}");
        }
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(text.ends_with("api_server_example 1.5\n"));
}

#[test]
fn metrics_that_are_off_record_nothing() {
    let metrics = Metrics::default();
    metrics.count(Event::SessionOpened);
    metrics.record_wait(Wait::PasswordHash, Duration::from_secs(1));
    assert!(metrics.route_metrics("/").is_none());
    assert_has_line(&metrics, "api_server_sessions_opened_total 0");
}
