//! Tests HTTP/2: that it serves what HTTP/1.1 serves, its limits, and that a server that stops finishes its requests.

use std::time::Duration;

use e2e::{App, Engine, connect_encrypted, on_both_engines, on_sqlite};
use h2::client::{Builder, Connection, SendRequest};
use h2::{Reason, RecvStream};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::spawn;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

on_both_engines! {
    tasks_are_added_and_listed,
}

on_sqlite! {
    many_requests_run_at_the_same_time,
    a_connection_has_at_most_100_requests_at_the_same_time,
    a_header_that_is_too_long_is_refused,
    a_head_request_gets_no_body,
    two_cookie_headers_are_one_list,
    a_connection_without_requests_is_closed_even_if_it_pings,
    a_client_that_accepts_no_bytes_loses_the_response,
    a_stopping_server_finishes_its_requests,
}

const SHORT_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest wait for a reaction of the server. A test that waits longer fails.
const MAX_WAIT: Duration = Duration::from_secs(30);

type Http2 = Connection<TlsStream<TcpStream>, bytes::Bytes>;

/// A client with one connection.
struct Http2Client {
    sender: SendRequest<bytes::Bytes>,
    /// The task that serves the connection until the connection ends.
    connection: JoinHandle<Result<(), h2::Error>>,
}

struct Http2Response {
    status: u16,
    headers: http::HeaderMap,
    body: Vec<u8>,
}

impl Http2Response {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

async fn handshake(app: &App, builder: &Builder) -> (SendRequest<bytes::Bytes>, Http2) {
    let stream = connect_encrypted(app.addr(), &["h2"]).await.unwrap();
    builder.handshake(stream).await.unwrap()
}

impl Http2Client {
    async fn connect(app: &App) -> Self {
        let (sender, connection) = handshake(app, &Builder::new()).await;
        Self {
            sender,
            connection: spawn(connection),
        }
    }

    /// Sends a request, and reads the response.
    async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Http2Response, h2::Error> {
        let uri = format!("https://e2e{path}");
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut sender = self.sender.clone().ready().await?;
        let request = request.body(()).unwrap();
        let (response, mut stream) = sender.send_request(request, body.is_empty())?;
        if !body.is_empty() {
            stream.send_data(bytes::Bytes::from(body.to_owned()), true)?;
        }
        let (head, body) = timeout(MAX_WAIT, response)
            .await
            .expect("a response")?
            .into_parts();
        Ok(Http2Response {
            status: head.status.as_u16(),
            headers: head.headers,
            body: read(body).await?,
        })
    }

    /// Waits until the server closes the connection, without an error of the protocol.
    async fn closed(self) {
        let connection = timeout(MAX_WAIT, self.connection).await;
        let ended = connection.expect("a closed connection").unwrap();
        // The client may still be sending an acknowledgement when the server closes.
        assert!(
            ended.as_ref().err().is_none_or(h2::Error::is_io),
            "{ended:?}"
        );
    }
}

async fn read(mut body: RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = timeout(MAX_WAIT, body.data()).await.expect("a body") {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len()).unwrap();
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Starts a server on which these timeouts are short.
fn start(engine: Engine, short_timeouts: &[&str]) -> App {
    App::on(engine)
        .encrypted()
        .set_durations(short_timeouts, SHORT_TIMEOUT)
        .start()
}

/// Registers a user over HTTP/2. Returns the value of the header `Authorization`.
async fn register(client: &Http2Client) -> String {
    let body = json!({ "email": "ada@example.com", "password": "correct horse battery staple" });
    let body = body.to_string();
    let headers = [("content-type", "application/json")];
    let response = client.send("POST", "/api/auth/register", &headers, &body);
    let response = response.await.unwrap();
    assert_eq!(response.status, 201);
    format!(
        "Bearer {}",
        response.json()["access_token"].as_str().unwrap()
    )
}

async fn add_task(client: &Http2Client, token: &str, description: &str) -> u16 {
    let body = json!({ "title": "Buy milk", "description": description }).to_string();
    let headers = [
        ("authorization", token),
        ("content-type", "application/json"),
    ];
    let response = client.send("POST", "/api/tasks", &headers, &body).await;
    response.unwrap().status
}

async fn tasks_are_added_and_listed(engine: Engine) {
    let app = start(engine, &[]);
    let client = Http2Client::connect(&app).await;
    let token = register(&client).await;
    for _ in 0..110 {
        assert_eq!(add_task(&client, &token, &"x".repeat(10_000)).await, 201);
    }
    let headers = [("authorization", token.as_str())];
    let response = client
        .send("GET", "/api/tasks?limit=500", &headers, "")
        .await
        .unwrap();
    assert_eq!(response.status, 200);
    // A page has at most 1 MiB.
    assert_eq!(response.json().as_array().unwrap().len(), 102);
    assert_eq!(
        response.headers["content-length"],
        response.body.len().to_string()
    );
    assert!(response.headers["date"].to_str().unwrap().ends_with(" GMT"));
    assert!(response.headers.contains_key("x-request-id"));
    assert!(response.headers.contains_key("link"));
    let refused = client.send("GET", "/api/tasks", &[], "").await.unwrap();
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (401, &json!("UNAUTHORIZED"))
    );
}

async fn many_requests_run_at_the_same_time(engine: Engine) {
    let app = start(engine, &[]);
    let client = Http2Client::connect(&app).await;
    // The server announces its limit of parallel requests before the first response. The client then obeys the limit,
    // and sends the other requests later.
    let first = client.send("GET", "/healthz", &[], "").await.unwrap();
    assert_eq!(first.status, 200);
    let requests = (0..300).map(|_| client.send("GET", "/healthz", &[], ""));
    for response in futures_util::future::join_all(requests).await {
        assert_eq!(response.unwrap().status, 200);
    }
}

async fn a_connection_has_at_most_100_requests_at_the_same_time(engine: Engine) {
    let app = start(engine, &[]);
    let client = Http2Client::connect(&app).await;
    // The client does not know the limit yet. Requests without their body stay unfinished.
    let mut responses = Vec::new();
    for _ in 0..101 {
        let mut sender = client.sender.clone().ready().await.unwrap();
        let request = http::Request::post("https://e2e/api/auth/login")
            .header("content-type", "application/json")
            .body(());
        responses.push(sender.send_request(request.unwrap(), false).unwrap());
    }
    let (last_response, _stream) = responses.pop().unwrap();
    let refused = timeout(MAX_WAIT, last_response).await.expect("a refusal");
    assert_eq!(refused.unwrap_err().reason(), Some(Reason::REFUSED_STREAM));
    assert_eq!(client.sender.current_max_send_streams(), 100);
}

async fn a_header_that_is_too_long_is_refused(engine: Engine) {
    let app = start(engine, &[]);
    let client = Http2Client::connect(&app).await;
    let long_value = "x".repeat(16 * 1024);
    let outcome = client
        .send("GET", "/healthz", &[("x-long", &long_value)], "")
        .await;
    assert_eq!(outcome.map(|response| response.status).ok(), Some(431));
    assert_eq!(
        client
            .send("GET", "/healthz", &[], "")
            .await
            .unwrap()
            .status,
        200
    );
}

async fn a_head_request_gets_no_body(engine: Engine) {
    let app = start(engine, &[]);
    let client = Http2Client::connect(&app).await;
    let get = client.send("GET", "/healthz", &[], "").await.unwrap();
    let head = client.send("HEAD", "/healthz", &[], "").await.unwrap();
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(
        head.headers["content-length"],
        get.headers["content-length"]
    );
}

/// A browser may send each cookie in a header of its own (RFC 9113 § 8.2.3).
async fn two_cookie_headers_are_one_list(engine: Engine) {
    let app = App::on(engine)
        .encrypted()
        .set("public-url", "https://e2e")
        .start();
    let client = Http2Client::connect(&app).await;
    let token = register(&client).await;
    let cookie = token.replace("Bearer ", "__Host-access_token=");
    let cookies = [("cookie", "theme=dark"), ("cookie", &cookie)];
    let response = client
        .send("GET", "/api/auth/session", &cookies, "")
        .await
        .unwrap();
    assert_eq!(response.json()["user"]["email"], "ada@example.com");
}

async fn a_connection_without_requests_is_closed_even_if_it_pings(engine: Engine) {
    for requests in [0, 1] {
        let app = start(engine, &["header-timeout", "idle-timeout"]);
        let (sender, mut connection) = handshake(&app, &Builder::new()).await;
        let mut ping_pong = connection.ping_pong().unwrap();
        let client = Http2Client {
            sender,
            connection: spawn(connection),
        };
        for _ in 0..requests {
            assert_eq!(
                client
                    .send("GET", "/healthz", &[], "")
                    .await
                    .unwrap()
                    .status,
                200
            );
        }
        let pinging = async { while ping_pong.ping(h2::Ping::opaque()).await.is_ok() {} };
        timeout(MAX_WAIT, pinging)
            .await
            .expect("a closed connection");
    }
}

async fn a_client_that_accepts_no_bytes_loses_the_response(engine: Engine) {
    let app = start(engine, &["response-timeout"]);
    let client = Http2Client::connect(&app).await;
    let token = register(&client).await;
    assert_eq!(add_task(&client, &token, "").await, 201);
    let mut builder = Builder::new();
    builder.initial_window_size(0);
    let (sender, connection) = handshake(&app, &builder).await;
    spawn(connection);
    let request = http::Request::get("https://e2e/api/tasks").header("authorization", token);
    let mut sender = sender.ready().await.unwrap();
    let (response, _stream) = sender
        .send_request(request.body(()).unwrap(), true)
        .unwrap();
    let mut body = response.await.unwrap().into_body();
    let ended = timeout(MAX_WAIT, body.data()).await.expect("an end");
    let error = ended.expect("no regular end").unwrap_err();
    assert_eq!(error.reason(), Some(Reason::CANCEL));
}

async fn a_stopping_server_finishes_its_requests(engine: Engine) {
    let app = App::on(engine)
        .encrypted()
        .limits(|limits| limits.drain_timeout = MAX_WAIT)
        .start();
    let client = Http2Client::connect(&app).await;
    let token = register(&client).await;
    let mut sender = client.sender.clone().ready().await.unwrap();
    let request = http::Request::post("https://e2e/api/tasks")
        .header("authorization", token)
        .header("content-type", "application/json");
    let (response, mut stream) = sender
        .send_request(request.body(()).unwrap(), false)
        .unwrap();
    stream.send_data(r#"{"title":"#.into(), false).unwrap();
    // The response to a later request shows that the server has the earlier one.
    assert_eq!(
        client
            .send("GET", "/healthz", &[], "")
            .await
            .unwrap()
            .status,
        200
    );
    let stopping = tokio::task::spawn_blocking(move || app.stop());
    // The server tells the client to send no more requests on this connection.
    let refused = async { while client.send("GET", "/healthz", &[], "").await.is_ok() {} };
    timeout(MAX_WAIT, refused)
        .await
        .expect("a server that stops");
    stream.send_data(r#""Buy milk"}"#.into(), true).unwrap();
    let response = timeout(MAX_WAIT, response)
        .await
        .expect("a response")
        .unwrap();
    assert_eq!(response.status(), 201);
    drop((sender, stream, response));
    client.closed().await;
    let _database = stopping.await.unwrap();
}
