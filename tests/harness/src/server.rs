//! The program while it runs as a server.

use std::net::SocketAddr;
use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{Connection, Log, Response, TIMEOUT, User};

/// A running server, killed when it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// The log of the server.
    pub log: Log,
    addr: Option<SocketAddr>,
}

impl Server {
    pub(crate) fn new(mut child: Child) -> Self {
        Self {
            log: Log::of(child.stderr.take().unwrap()),
            child,
            addr: None,
        }
    }

    /// Waits for the log line with the server's socket address.
    pub fn listening(mut self) -> Self {
        let line = self.log.line("listening on http://");
        // The line may be JSON, so the address ends at the first character that cannot be part of it.
        let (_, rest) = line.split_once("http://").unwrap();
        let end = rest.find(|c: char| !c.is_ascii_digit() && !"[]:.".contains(c));
        self.addr = rest.get(..end.unwrap_or(rest.len())).unwrap().parse().ok();
        assert!(self.addr.is_some(), "{line}");
        self
    }

    /// The socket address on which the server listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr.unwrap()
    }

    /// Opens a connection.
    pub fn connect(&self) -> Connection {
        Connection::to(self.addr())
    }

    /// Sends a GET; `token` may be empty.
    pub fn get(&self, path: &str, token: &str) -> Response {
        self.connect().request("GET", path, token, None)
    }

    /// Sends a POST; `token` may be empty.
    pub fn post(&self, path: &str, token: &str, body: &Value) -> Response {
        self.connect().request("POST", path, token, Some(body))
    }

    /// Registers an account.
    pub fn register(&self, email: &str, password: &str) -> User {
        let body = serde_json::json!({"email": email, "password": password});
        let response = self.post("/api/auth/register", "", &body);
        User::of(&response.expect(201))
    }

    /// Logs in.
    pub fn log_in(&self, email: &str, password: &str) -> Response {
        let body = serde_json::json!({"email": email, "password": password});
        self.post("/api/auth/login", "", &body)
    }

    /// Adds a task.
    pub fn add_task(&self, user: &User, title: &str) -> Response {
        let body = serde_json::json!({ "title": title });
        self.post("/api/tasks", &user.token, &body)
    }

    /// The titles of all tasks, newest first.
    pub fn titles(&self, user: &User) -> Vec<String> {
        let tasks = self.get("/api/tasks?limit=500", &user.token).expect(200);
        let title = |task: &Value| task["title"].as_str().unwrap().to_owned();
        tasks.as_array().unwrap().iter().map(title).collect()
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its exit; returns the exit code, `None` after a fatal signal.
    pub fn exit_within(&mut self, limit: Duration) -> Option<i32> {
        let ended = self.log.ended_within(limit);
        assert!(ended, "not exited after {limit:?}:\n{}", self.log.text());
        self.child.wait().unwrap().code()
    }

    /// Stops it with SIGTERM, as a supervisor does, and returns its whole log.
    pub fn stop(mut self) -> Log {
        self.signal(Signal::TERM);
        let code = self.exit_within(TIMEOUT);
        assert_eq!(code, Some(0), "{}", self.log.text());
        self.log.clone()
    }

    /// Kills it with SIGKILL, as the kernel does when memory runs out.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // If it has already exited, both calls fail, which is fine.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
