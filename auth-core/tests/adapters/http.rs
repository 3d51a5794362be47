//! A plain HTTP/1.1 client, and the requests that it sends to every HTTP framework.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::fixtures::valid_token;
use crate::table::{Refused, Target, every_refusal};

/// Routes: for any caller, behind the guard, of user 42, and with optional credentials.
const OWN: [&str; 4] = ["/me", "/guarded/me", "/42/notes", "/maybe"];
const OTHER_USER: [&str; 3] = ["/43/notes", "/%34%33/notes", "/42%20/notes"];
const NO_AUTHORITY: [&str; 4] = [
    "/no-authority/me",
    "/no-authority/maybe",
    "/no-authority/42/notes",
    "/unnamed/notes",
];
const STALE_FEED: [&str; 2] = ["/stale-feed/me", "/stale-feed/42/notes"];
const UNREACHABLE: [&str; 4] = [
    "/unreachable/me",
    "/unreachable/maybe",
    "/unreachable/42/notes",
    "/unreachable/guarded/me",
];

struct Response {
    head: String,
    body: String,
}

impl Response {
    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &'_ str| line.split(':').next().unwrap().eq_ignore_ascii_case(name);
        let mut lines = self.head.lines().filter(|line| named(line));
        let line = lines.next()?;
        assert_eq!(lines.next(), None, "{name} twice");
        Some(line.split_once(": ").unwrap().1)
    }
}

fn send(server: SocketAddr, path: &str, fields: &[(&'static str, String)]) -> Response {
    let mut stream = TcpStream::connect(server).unwrap();
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    for (name, value) in fields {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("content-length: 5\r\n\r\nhello");
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Response {
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

pub(crate) fn sends_every_refusal_of_the_table(server: SocketAddr) {
    for case in every_refusal() {
        let paths: &[&str] = match case.target {
            Target::Own => &OWN,
            Target::OtherUser => &OTHER_USER,
            Target::NoAuthority => &NO_AUTHORITY,
            Target::StaleFeed => &STALE_FEED,
            Target::Unreachable => &UNREACHABLE,
        };
        let is_public =
            |path: &str| path == "/maybe" && case.expected.body.contains("UNAUTHORIZED");
        for path in paths.iter().filter(|path| !is_public(path)) {
            let response = send(server, path, &case.fields);
            let refused = Refused {
                status: response.status(),
                challenge: response.header("www-authenticate").map(ToOwned::to_owned),
                retry_after: response.header("retry-after").map(ToOwned::to_owned),
                body: response.body.clone(),
            };
            assert_eq!(refused, case.expected, "{} at {path}", case.name);
            let content_type = response.header("content-type");
            assert_eq!(
                content_type,
                Some("application/problem+json"),
                "{}",
                case.name
            );
        }
    }
}

pub(crate) fn accepts_a_valid_caller(server: SocketAddr) {
    let bearer = ("authorization", format!("Bearer {}", valid_token()));
    let user_id = ("x-user-id", "42".to_owned());
    for path in OWN.iter().chain(&["/%34%32/notes"]) {
        let response = send(server, path, &[bearer.clone(), user_id.clone()]);
        assert_eq!((response.status(), &*response.body), (200, "42"), "{path}");
    }
    let response = send(server, "/maybe", &[]);
    assert_eq!((response.status(), &*response.body), (200, "none"));
}

pub(crate) fn subject_or_none(sub: Option<String>) -> String {
    sub.unwrap_or_else(|| "none".to_owned())
}
