//! HTTP/1.1 as it stands on the wire, and the same questions to every HTTP framework.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::table::{Place, Refused, every_refusal};
use crate::world::good;

/// A route for any caller, one behind the guard, one of the user 42, one that works without credentials.
const OWN: [&str; 4] = ["/me", "/guarded/me", "/42/things", "/maybe"];
const ANOTHER: [&str; 3] = ["/43/things", "/%34%33/things", "/42%20/things"];
const UNWIRED: [&str; 4] = [
    "/unwired/me",
    "/unwired/maybe",
    "/unwired/42/things",
    "/unnamed/things",
];
const OUTDATED: [&str; 2] = ["/outdated/me", "/outdated/42/things"];
const AWAY: [&str; 4] = [
    "/away/me",
    "/away/maybe",
    "/away/42/things",
    "/away/guarded/me",
];

struct Answer {
    head: String,
    body: String,
}

impl Answer {
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

fn ask(server: SocketAddr, path: &str, fields: &[(&'static str, String)]) -> Answer {
    let mut stream = TcpStream::connect(server).unwrap();
    let mut request = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    for (name, value) in fields {
        request.extend([name, ": ", value, "\r\n"]);
    }
    request.push_str("content-length: 5\r\n\r\nhello");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Answer {
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

pub(crate) fn refuses_everything_in_the_table(server: SocketAddr) {
    for case in every_refusal() {
        let paths: &[&str] = match case.place {
            Place::Own => &OWN,
            Place::Another => &ANOTHER,
            Place::Unwired => &UNWIRED,
            Place::Outdated => &OUTDATED,
            Place::Away => &AWAY,
        };
        let needs_none =
            |path: &str| path == "/maybe" && case.expected.body.contains("UNAUTHORIZED");
        for path in paths.iter().filter(|path| !needs_none(path)) {
            let answer = ask(server, path, &case.fields);
            let got = Refused {
                status: answer.status(),
                challenge: answer.header("www-authenticate").map(ToOwned::to_owned),
                retry_after: answer.header("retry-after").map(ToOwned::to_owned),
                body: answer.body.clone(),
            };
            assert_eq!(got, case.expected, "{} at {path}", case.name);
            let kind = answer.header("content-type");
            assert_eq!(kind, Some("application/problem+json"), "{}", case.name);
        }
    }
}

pub(crate) fn lets_a_known_caller_through(server: SocketAddr) {
    let bearer = ("authorization", format!("Bearer {}", good()));
    let own = ("x-user-id", "42".to_owned());
    for path in OWN.iter().chain(&["/%34%32/things"]) {
        let answer = ask(server, path, &[bearer.clone(), own.clone()]);
        assert_eq!((answer.status(), &*answer.body), (200, "42"), "{path}");
    }
    let answer = ask(server, "/maybe", &[]);
    assert_eq!((answer.status(), &*answer.body), (200, "nobody"));
}

pub(crate) fn name(sub: Option<String>) -> String {
    sub.unwrap_or_else(|| "nobody".to_owned())
}
