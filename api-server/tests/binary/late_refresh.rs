//! Tests what a process does with requests that waited while it was paused, and whose clients have hung up since.

mod http2;

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use harness::{Server, TIMEOUT, WorkDir, repository_file};
use native_tls::{Certificate, TlsConnector, TlsStream};
use serde_json::{Value, json};

const IGNORED: &str = "refresh ignored: its client has closed the connection";

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn request(path: &str, token: &str, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "POST {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn refresh(refresh_token: &str) -> String {
    let body = json!({ "refresh_token": refresh_token });
    request("/api/auth/refresh", "", &body)
}

/// Sends a request, and returns the status and the body of the response.
fn ask(stream: &mut (impl Read + Write), request: &str) -> (u16, Value) {
    stream.write_all(request.as_bytes()).unwrap();
    response(stream)
}

fn response(stream: &mut impl Read) -> (u16, Value) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
        if line == "\r\n" {
            break;
        }
        assert!(!line.is_empty(), "the connection was closed: {head}");
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let status = head.get(9..12).unwrap().parse().unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

/// A session that was refreshed twice.
struct Session {
    /// The newest access token.
    access: String,
    /// The first refresh token.
    oldest_refresh: String,
    newest_refresh: String,
}

impl Session {
    fn open(stream: &mut (impl Read + Write)) -> Self {
        let user =
            json!({ "email": "ada@example.com", "password": "correct horse battery staple" });
        let (status, first_grant) = ask(stream, &request("/api/auth/register", "", &user));
        assert_eq!(status, 201, "{first_grant}");
        let mut grant = first_grant.clone();
        for _ in 0..2 {
            let (status, next_grant) = ask(stream, &refresh(&text(&grant["refresh_token"])));
            assert_eq!(status, 200, "{next_grant}");
            grant = next_grant;
        }
        Self {
            access: text(&grant["access_token"]),
            oldest_refresh: text(&first_grant["refresh_token"]),
            newest_refresh: text(&grant["refresh_token"]),
        }
    }

    /// The late use of an old token, which ends the session.
    fn late_refresh(&self) -> String {
        refresh(&self.oldest_refresh)
    }

    fn assert_continues(&self, stream: &mut (impl Read + Write)) {
        let (status, body) = ask(stream, &refresh(&self.newest_refresh));
        assert_eq!(status, 200, "{body}");
    }
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.addr()).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream
}

fn connect_encrypted(server: &Server) -> TlsStream<TcpStream> {
    let certificate = repository_file("tests/harness/tls/first.certificate.pem");
    let connector = TlsConnector::builder()
        .add_root_certificate(Certificate::from_pem(certificate.as_bytes()).unwrap())
        .build()
        .unwrap();
    connector.connect("localhost", connect(server)).unwrap()
}

fn encrypted_server(work_dir: &WorkDir) -> Server {
    let mut program = work_dir.program().with_weak_hashing();
    for (variable, kind) in [("TLS_CERT", "certificate"), ("TLS_KEY", "key")] {
        let file = format!("first.{kind}.pem");
        work_dir.write(&file, repository_file(&format!("tests/harness/tls/{file}")));
        program = program.set(variable, file);
    }
    program.start()
}

#[test]
fn a_late_refresh_is_ignored_if_its_client_has_hung_up() {
    let work_dir = WorkDir::new();
    let server = work_dir.quick_server();
    let session = Session::open(&mut connect(&server));
    server.pause();
    connect(&server)
        .write_all(session.late_refresh().as_bytes())
        .unwrap();
    server.resume();
    server.log.line(IGNORED);
    session.assert_continues(&mut connect(&server));
}

#[test]
fn a_late_refresh_is_ignored_on_a_connection_that_was_used_before() {
    let work_dir = WorkDir::new();
    let server = work_dir.quick_server();
    let mut stream = connect(&server);
    let session = Session::open(&mut stream);
    server.pause();
    stream.write_all(session.late_refresh().as_bytes()).unwrap();
    drop(stream);
    server.resume();
    server.log.line(IGNORED);
    session.assert_continues(&mut connect(&server));
}

#[test]
fn a_late_refresh_is_ignored_on_an_encrypted_connection() {
    let work_dir = WorkDir::new();
    let server = encrypted_server(&work_dir);
    let mut stream = connect_encrypted(&server);
    let session = Session::open(&mut stream);
    server.pause();
    stream.write_all(session.late_refresh().as_bytes()).unwrap();
    // Says that nothing follows. Without this, TLS treats the request as cut off.
    stream.shutdown().unwrap();
    drop(stream);
    server.resume();
    server.log.line(IGNORED);
    session.assert_continues(&mut connect_encrypted(&server));
}

#[test]
fn a_late_refresh_whose_client_still_waits_ends_the_session() {
    let work_dir = WorkDir::new();
    let server = work_dir.quick_server();
    let mut stream = connect(&server);
    let session = Session::open(&mut stream);
    server.pause();
    stream.write_all(session.late_refresh().as_bytes()).unwrap();
    server.resume();
    let (status, problem) = response(&mut stream);
    assert_eq!(
        (status, &problem["code"]),
        (401, &json!("REFRESH_TOKEN_REUSED"))
    );
    let (status, _) = ask(&mut stream, &refresh(&session.newest_refresh));
    assert_eq!(status, 401);
}

#[test]
fn a_late_logout_is_carried_out_even_if_its_client_has_hung_up() {
    let work_dir = WorkDir::new();
    let server = work_dir.quick_server();
    let session = Session::open(&mut connect(&server));
    let token = &session.access;
    server.pause();
    let logout = request("/api/auth/logout", token, &json!({}));
    connect(&server).write_all(logout.as_bytes()).unwrap();
    server.resume();
    let start = Instant::now();
    while server.get("/api/auth/session", token).status != 401 {
        assert!(start.elapsed() < TIMEOUT, "{}", server.log.text());
    }
}
