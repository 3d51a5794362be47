//! Tests encrypted connections: the protocols, and that the limits of connections hold for them as well.

use std::time::{Duration, Instant};

use e2e::{App, Connection, Engine, connect_encrypted, on_sqlite};
use futures_util::future::select_all;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::HEALTH_REQUEST;

on_sqlite! {
    a_client_without_http_2_gets_http_1,
    a_plain_request_gets_no_response,
    a_handshake_that_never_ends_is_closed,
    the_first_header_after_the_handshake_times_out,
    an_idle_encrypted_connection_is_closed,
    handshakes_count_towards_the_limit_of_connections,
    the_cookies_of_an_encrypted_server_are_secure,
}

const SHORT_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest wait for the server to close a connection. A test that waits longer fails.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// The first bytes of a TLS handshake, whose first message (`ClientHello`) would have 512 bytes.
const START_OF_HANDSHAKE: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

/// Starts a server on which these timeouts are short.
fn start(engine: Engine, short_timeouts: &[&str]) -> App {
    App::on(engine)
        .encrypted()
        .set_durations(short_timeouts, SHORT_TIMEOUT)
        .start()
}

/// Sends the bytes, and reads until the server closes the connection. Returns what was read.
async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    let mut received = Vec::new();
    let reading = timeout(MAX_WAIT, stream.read_to_end(&mut received));
    // The server may close the connection without the TLS alert `close_notify`.
    let _unexpected_end = reading.await.expect("a closed connection");
    String::from_utf8(received).unwrap()
}

async fn a_client_without_http_2_gets_http_1(engine: Engine) {
    let app = start(engine, &[]);
    for (protocols, chosen) in [
        (&[][..], None),
        (&["http/1.1"], Some(&b"http/1.1"[..])),
        (&["h2", "http/1.1"], Some(b"h2")),
    ] {
        let mut stream = connect_encrypted(app.addr(), protocols).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), chosen);
        if chosen != Some(b"h2") {
            let request = b"GET /healthz HTTP/1.1\r\nhost: e2e\r\nconnection: close\r\n\r\n";
            let response = exchange(&mut stream, request).await;
            assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
        }
    }
}

async fn a_plain_request_gets_no_response(engine: Engine) {
    let app = start(engine, &[]);
    let mut stream = tokio::net::TcpStream::connect(app.addr()).await.unwrap();
    let response = exchange(&mut stream, HEALTH_REQUEST).await;
    assert!(!response.contains("HTTP"), "{response}");
}

async fn a_handshake_that_never_ends_is_closed(engine: Engine) {
    let app = start(engine, &["header-timeout"]);
    for bytes in [&[][..], b"\x16", START_OF_HANDSHAKE] {
        let mut connection = app.connect().await;
        let started = Instant::now();
        connection.send(bytes).await;
        assert!(connection.response().await.is_none());
        assert!(started.elapsed() >= SHORT_TIMEOUT / 2);
    }
}

async fn the_first_header_after_the_handshake_times_out(engine: Engine) {
    let app = start(engine, &["header-timeout"]);
    let mut stream = connect_encrypted(app.addr(), &[]).await.unwrap();
    let response = exchange(&mut stream, b"GET /healthz HTTP/1.1\r\n").await;
    assert!(response.starts_with("HTTP/1.1 408 "), "{response}");
}

async fn an_idle_encrypted_connection_is_closed(engine: Engine) {
    let app = start(engine, &["idle-timeout"]);
    let mut stream = connect_encrypted(app.addr(), &[]).await.unwrap();
    let response = exchange(&mut stream, HEALTH_REQUEST).await;
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
}

async fn handshakes_count_towards_the_limit_of_connections(engine: Engine) {
    let app = App::on(engine)
        .encrypted()
        .set("max-connections", "3")
        .limits(|limits| limits.counts_loopback = true)
        .start();
    let mut silent_connections = Vec::new();
    for _ in 0..4 {
        let mut connection = Connection::open_from("127.0.0.2", app.addr()).await;
        connection.send(START_OF_HANDSHAKE).await;
        silent_connections.push(connection);
    }
    // To accept the fourth connection, the server closes one of the others, before their header timeout of 10 s is
    // over.
    let responses = silent_connections
        .iter_mut()
        .map(|it| Box::pin(it.response()));
    let (response, ..) = timeout(SHORT_TIMEOUT * 5, select_all(responses))
        .await
        .expect("a connection is closed to accept another one");
    assert!(response.is_none());
    // Another network is served, because the network with the most connections loses one.
    let mut stream = connect_encrypted(app.addr(), &[]).await.unwrap();
    stream.write_all(HEALTH_REQUEST).await.unwrap();
    let mut start = [0; 15];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
}

async fn the_cookies_of_an_encrypted_server_are_secure(engine: Engine) {
    // With TLS, the default of `PUBLIC_URL` is `https://` and the address of the server, and `https` makes cookies
    // `Secure`.
    let app = App::on(engine).encrypted().without("public-url").start();
    let body = r#"{"email":"ada@example.com","password":"correct horse battery staple"}"#;
    let request = format!(
        "POST /api/auth/register HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
         origin: https://{}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        app.addr(),
        body.len()
    );
    let mut stream = connect_encrypted(app.addr(), &[]).await.unwrap();
    let response = exchange(&mut stream, request.as_bytes()).await;
    assert!(response.starts_with("HTTP/1.1 201 "), "{response}");
    assert!(
        response.contains("set-cookie: __Host-access_token="),
        "{response}"
    );
}
