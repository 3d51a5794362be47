//! Tests the values that are read when the metrics are requested.

use std::time::Duration;

use e2e::{Engine, on_both_engines};

use super::options;

on_both_engines! {
    the_state_of_the_server_is_shown,
    waits_for_the_database_are_recorded,
    open_connections_are_counted,
}

async fn the_state_of_the_server_is_shown(engine: Engine) {
    let app = options(engine).set("max-connections", "77").start();
    app.user("ada").await;
    let metrics = app.metrics().await;
    for (series, value) in [
        (
            concat!(
                r#"build_info{version=""#,
                env!("CARGO_PKG_VERSION"),
                r#""}"#
            ),
            1,
        ),
        ("connections_max", 77),
        ("database_connections_max", 4),
        ("password_hash_queue_length", 0),
        ("revocation_set_size", 0),
        ("outbox_length", 0),
    ] {
        assert_eq!(metrics.count(series), value, "{series}");
    }
    assert!((1..=4).contains(&metrics.count("database_connections")));
    let idle_count = metrics.count("database_connections_idle");
    assert!((0..=4).contains(&idle_count), "{idle_count}");
    assert!((0.0..30.0).contains(&metrics.value("revocations_lag_seconds")));
    for series in [
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
        "process_start_time_seconds",
    ] {
        assert!(metrics.value(series) > 0.0, "{series}");
    }
}

async fn waits_for_the_database_are_recorded(engine: Engine) {
    let app = options(engine).start();
    let ada = app.user("ada").await;
    let before = app.metrics().await;
    ada.new_task("write").await;
    ada.all_tasks().await;
    let after = app.metrics().await;
    let increase = |queue: &str| {
        let series = format!(r#"database_wait_seconds_count{{queue="{queue}"}}"#);
        after.count(&series) - before.count(&series)
    };
    let (jobs, writes) = (increase("threads"), increase("writer"));
    match engine {
        // Background tasks also use the database.
        Engine::Sqlite => assert!(jobs >= 1 && writes >= 1, "{jobs} {writes}"),
        Engine::Postgres => assert!(jobs >= 2 && writes == 0, "{jobs} {writes}"),
    }
    let sum = after.value(r#"database_wait_seconds_sum{queue="threads"}"#);
    assert!(sum < Duration::from_secs(60).as_secs_f64(), "{sum}");
}

async fn open_connections_are_counted(engine: Engine) {
    let app = options(engine).start();
    let mut connections = Vec::new();
    for _ in 0..5 {
        let mut connection = app.connect().await;
        connection
            .send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            .await;
        connection.response().await.expect("a response").ok();
        connections.push(connection);
    }
    assert_eq!(app.metrics().await.count("connections"), 5);
}
