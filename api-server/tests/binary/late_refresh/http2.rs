//! Tests a refresh that its client has cancelled with HTTP/2, in frames that the test writes itself.

use std::io::Write as _;
use std::net::TcpStream;

use harness::{Server, WorkDir};
use openssl::ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode};
use serde_json::json;

use super::{IGNORED, Session, connect, connect_encrypted, encrypted_server};

// The kinds of frames, their flags and an error code (RFC 9113 §§ 6, 7).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const CANCEL: [u8; 4] = [0, 0, 0, 8];

/// Opens an encrypted connection for HTTP/2.
fn connect_http2(server: &Server) -> SslStream<TcpStream> {
    let mut builder = SslConnector::builder(SslMethod::tls()).unwrap();
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_alpn_protos(b"\x02h2").unwrap();
    let stream = builder.build().connect("localhost", connect(server));
    stream.unwrap()
}

fn frame(kind: u8, flags: u8, stream_id: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [
        length[1], length[2], length[3], kind, flags, 0, 0, 0, stream_id,
    ];
    [&head, payload].concat()
}

/// Encodes headers without compression (RFC 7541 § 6.2.2).
fn header_block(headers: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let line = |(name, value): &(&str, &str)| [vec![0], text(name), text(value)].concat();
    headers.iter().flat_map(line).collect()
}

/// A refresh that the client sends and then cancels.
fn cancelled_refresh(refresh_token: &str) -> Vec<u8> {
    let headers = header_block(&[
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", "/api/auth/refresh"),
        ("content-type", "application/json"),
    ]);
    let body = json!({ "refresh_token": refresh_token }).to_string();
    [
        PREFACE.to_vec(),
        frame(SETTINGS, 0, 0, &[]),
        frame(HEADERS, END_HEADERS, 1, &headers),
        frame(DATA, END_STREAM, 1, body.as_bytes()),
        frame(RST_STREAM, 0, 1, &CANCEL),
    ]
    .concat()
}

#[test]
fn a_late_refresh_is_ignored_if_it_was_cancelled_with_http_2() {
    let work_dir = WorkDir::new();
    let server = encrypted_server(&work_dir);
    let session = Session::open(&mut connect_encrypted(&server));
    let mut stream = connect_http2(&server);
    server.pause();
    let cancelled_refresh = cancelled_refresh(&session.oldest_refresh);
    stream.write_all(&cancelled_refresh).unwrap();
    server.resume();
    server.log.line(IGNORED);
    session.assert_continues(&mut connect_encrypted(&server));
}
