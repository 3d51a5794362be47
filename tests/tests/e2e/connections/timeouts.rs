//! Tests the timeouts for the header of a request and for an idle connection, and that HTTP/2 without TLS is rejected.

use std::time::Duration;

use e2e::{App, Engine, on_both_engines};
use tokio::time::sleep;

use super::{HEALTH_REQUEST, gets_200};

on_both_engines! {
    the_first_header_of_a_connection_times_out,
    the_header_of_a_later_request_times_out,
    bytes_after_a_response_do_not_keep_a_connection_open,
    an_idle_connection_is_closed,
    a_request_may_take_longer_than_its_header,
    http_2_is_rejected,
}

/// The duration of each timeout that a test shortens. The other timeouts of a connection stay at 10 seconds or more.
const SHORT_TIMEOUT: Duration = Duration::from_secs(1);

/// Starts a server on which these timeouts are short.
fn start(engine: Engine, short_timeouts: &[&str]) -> App {
    App::on(engine)
        .set_durations(short_timeouts, SHORT_TIMEOUT)
        .start()
}

async fn the_first_header_of_a_connection_times_out(engine: Engine) {
    let app = start(engine, &["header-timeout"]);
    for first_bytes in ["", "G", "GET /healthz HTTP/1.1\r\nhost: e2e\r\n"] {
        let mut connection = app.connect().await;
        connection.send(first_bytes.as_bytes()).await;
        assert_eq!(
            connection.response().await.unwrap().status(),
            408,
            "{first_bytes}"
        );
        assert!(connection.response().await.is_none(), "{first_bytes}");
    }
}

async fn the_header_of_a_later_request_times_out(engine: Engine) {
    let app = start(engine, &["header-timeout"]);
    for first_bytes in ["G", "GET /healthz HTTP/1.1\r\nhost: e2e\r\n"] {
        let mut connection = app.connect().await;
        for _ in 0..2 {
            assert!(gets_200(&mut connection).await);
        }
        connection.send(first_bytes.as_bytes()).await;
        assert!(connection.response().await.is_none(), "{first_bytes}");
    }
}

async fn bytes_after_a_response_do_not_keep_a_connection_open(engine: Engine) {
    let app = start(engine, &["header-timeout"]);
    let mut connection = app.connect().await;
    // The path does not exist, so no handler reads the body, and the chunks below arrive after the response.
    let head = b"POST /nowhere HTTP/1.1\r\nhost: e2e\r\ntransfer-encoding: chunked\r\n\r\n";
    connection.send(head).await;
    assert_eq!(connection.response().await.unwrap().status(), 404);
    connection.send_until_closed(b"1\r\nx\r\n").await;
}

async fn an_idle_connection_is_closed(engine: Engine) {
    let app = start(engine, &["idle-timeout"]);
    let mut connection = app.connect().await;
    assert!(gets_200(&mut connection).await);
    assert!(connection.response().await.is_none());
}

async fn a_request_may_take_longer_than_its_header(engine: Engine) {
    let app = start(
        engine,
        &["header-timeout", "idle-timeout", "response-timeout"],
    );
    let ada = app.user("ada").await;
    let mut connection = app.connect().await;
    assert!(gets_200(&mut connection).await);
    let head = format!(
        "POST /api/tasks HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 20\r\n\r\n",
        ada.token()
    );
    connection.send(head.as_bytes()).await;
    // Waits for longer than the three short timeouts, none of which may apply while the server waits for the body.
    sleep(3 * SHORT_TIMEOUT).await;
    connection.send(br#"{"title":"Buy milk"}"#).await;
    assert_eq!(connection.response().await.unwrap().status(), 201);
    connection.send(HEALTH_REQUEST).await;
    assert_eq!(connection.response().await.unwrap().status(), 200);
}

async fn http_2_is_rejected(app: App) {
    let mut connection = app.connect().await;
    connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert_eq!(connection.response().await.unwrap().status(), 400);
    assert!(connection.response().await.is_none());
}
