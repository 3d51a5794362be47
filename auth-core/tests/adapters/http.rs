//! Sends the requests of `table.rs` to a server over HTTP/1.1, and asserts that the responses are as expected.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::fixtures::{token_with_every_grant, token_with_key, valid_token};
use crate::table::{RefusalResponse, Target, refused_requests};

/// URL paths that user 42 may request: a path for any caller, a path behind `RequireCaller`, a path of user 42, and a
/// path with optional credentials.
const USER_42_PATHS: [&str; 4] = ["/me", "/guarded/me", "/42/notes", "/maybe"];
/// URL paths behind guards. `/guarded` is behind `RequireCaller`; the other guards find the caller by themselves.
const ANY_ROLE_PATHS: [&str; 2] = ["/any-role", "/guarded/any-role"];
const EVERY_ROLE_PATHS: [&str; 2] = ["/every-role", "/guarded/every-role"];
const ANY_SCOPE_PATHS: [&str; 2] = ["/any-scope", "/guarded/any-scope"];
const EVERY_SCOPE_PATHS: [&str; 2] = ["/every-scope", "/guarded/every-scope"];
/// URL paths that read custom claims.
const PLAN_PATHS: [&str; 2] = ["/plan", "/guarded/plan"];
/// URL paths of other users than user 42. The last path belongs to the user `42 `, whose id ends with a space.
const OTHER_USER_PATHS: [&str; 3] = ["/43/notes", "/%34%33/notes", "/42%20/notes"];
/// URL paths that respond with 500: the service has no authority or, for the last path, the route has no `user_id`.
const NO_AUTHORITY_PATHS: [&str; 7] = [
    "/no-authority/me",
    "/no-authority/maybe",
    "/no-authority/42/notes",
    "/no-authority/any-role",
    "/no-authority/every-scope",
    "/no-authority/plan",
    "/unnamed/notes",
];
const STALE_FEED_PATHS: [&str; 3] = [
    "/stale-feed/me",
    "/stale-feed/42/notes",
    "/stale-feed/any-scope",
];
const UNREACHABLE_PATHS: [&str; 6] = [
    "/unreachable/me",
    "/unreachable/maybe",
    "/unreachable/42/notes",
    "/unreachable/guarded/me",
    "/unreachable/every-role",
    "/unreachable/plan",
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
        let has_name = |line: &'_ str| line.split(':').next().unwrap().eq_ignore_ascii_case(name);
        let mut lines = self.head.lines().filter(|line| has_name(line));
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
    let mut response_text = String::new();
    stream.read_to_string(&mut response_text).unwrap();
    let (head, body) = response_text.split_once("\r\n\r\n").unwrap();
    Response {
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// Returns the URL paths of a target. Guarded paths are among those of user 42, because a guard must also refuse
/// requests without a valid caller.
fn paths_of(target: Target) -> Vec<&'static str> {
    let paths: &[&[&str]] = match target {
        Target::User42 => &[
            &USER_42_PATHS,
            &ANY_ROLE_PATHS,
            &EVERY_ROLE_PATHS,
            &ANY_SCOPE_PATHS,
            &EVERY_SCOPE_PATHS,
            &PLAN_PATHS,
        ],
        Target::AnyRole => &[&ANY_ROLE_PATHS],
        Target::EveryRole => &[&EVERY_ROLE_PATHS],
        Target::AnyScope => &[&ANY_SCOPE_PATHS],
        Target::EveryScope => &[&EVERY_SCOPE_PATHS],
        Target::Plan => &[&PLAN_PATHS],
        Target::OtherUser => &[&OTHER_USER_PATHS],
        Target::NoAuthority => &[&NO_AUTHORITY_PATHS],
        Target::StaleFeed => &[&STALE_FEED_PATHS],
        Target::Unreachable => &[&UNREACHABLE_PATHS],
    };
    paths.concat()
}

/// Asserts that the server refuses every request of the table as expected.
pub(crate) fn assert_every_refusal(server: SocketAddr) {
    assert_refusals(server, |_path| true);
}

/// Asserts that the server refuses the requests of the table to the paths that it serves, as expected. Leaves out
/// requests without credentials to `/maybe`, because that path accepts them. Returns the number of requests.
pub(crate) fn assert_refusals(server: SocketAddr, has_path: fn(&str) -> bool) -> usize {
    let mut request_count = 0;
    for case in refused_requests() {
        let paths = paths_of(case.target);
        let is_accepted =
            |path: &str| path == "/maybe" && case.expected.body.contains("UNAUTHORIZED");
        let refused_paths = paths
            .iter()
            .filter(|path| has_path(path) && !is_accepted(path));
        for path in refused_paths {
            request_count += 1;
            let response = send(server, path, &case.fields);
            let refusal = RefusalResponse {
                status: response.status(),
                challenge: response.header("www-authenticate").map(ToOwned::to_owned),
                retry_after: response.header("retry-after").map(ToOwned::to_owned),
                body: response.body.clone(),
            };
            assert_eq!(refusal, case.expected, "{} at {path}", case.name);
            let content_type = response.header("content-type");
            assert_eq!(
                content_type,
                Some("application/problem+json"),
                "{}",
                case.name
            );
        }
    }
    request_count
}

/// Asserts that the server accepts a valid token, and a request without credentials where credentials are optional.
pub(crate) fn assert_valid_caller_is_accepted(server: SocketAddr) {
    for token in [valid_token(), token_with_key()] {
        let bearer = ("authorization", format!("Bearer {token}"));
        let user_id = ("x-user-id", "42".to_owned());
        for path in USER_42_PATHS.iter().chain(&["/%34%32/notes"]) {
            let response = send(server, path, &[bearer.clone(), user_id.clone()]);
            assert_eq!((response.status(), &*response.body), (200, "42"), "{path}");
        }
    }
    assert_every_grant_is_accepted(server, |_path| true);
    let response = send(server, "/maybe", &[]);
    assert_eq!((response.status(), &*response.body), (200, "none"));
}

/// Asserts that a caller with all roles, scopes and custom claims is accepted at the paths that the server serves.
pub(crate) fn assert_every_grant_is_accepted(server: SocketAddr, has_path: fn(&str) -> bool) {
    let paths = paths_of(Target::User42);
    for path in paths.into_iter().filter(|path| has_path(path)) {
        let bearer = format!("Bearer {}", token_with_every_grant());
        let response = send(server, path, &[("authorization", bearer)]);
        let is_plan = path.ends_with("/plan");
        let expected = if is_plan { "pro" } else { "42" };
        assert_eq!(
            (response.status(), &*response.body),
            (200, expected),
            "{path}"
        );
    }
}

pub(crate) fn subject_or_none(sub: Option<String>) -> String {
    sub.unwrap_or_else(|| "none".to_owned())
}
