//! Controls a process that runs the program as a server, and sends requests to the server.

use std::fs;
use std::net::SocketAddr;
use std::process::Child;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use serde_json::Value;

use super::{Connection, Log, Response, TIMEOUT, User};

/// A running server. Dropping this value kills the server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// The lines that the server has logged so far.
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
    pub fn wait_until_listening(mut self) -> Self {
        let line = self.log.line("listening on http");
        // The line may be JSON. The socket address ends at the first character that is no digit and none of `[]:.`; the
        // servers of the tests have no addresses with letters.
        let (_, address_and_rest) = line.split_once("://").unwrap();
        let end = address_and_rest.find(|c: char| !c.is_ascii_digit() && !"[]:.".contains(c));
        self.addr = address_and_rest
            .get(..end.unwrap_or(address_and_rest.len()))
            .unwrap()
            .parse()
            .ok();
        assert!(self.addr.is_some(), "{line}");
        self
    }

    /// The socket address on which the server listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr.unwrap()
    }

    /// Opens a connection to the server.
    pub fn connect(&self) -> Connection {
        Connection::open(self.addr())
    }

    /// Sends a `GET` request. An empty `token` stands for no token.
    pub fn get(&self, path: &str, token: &str) -> Response {
        self.connect().request("GET", path, token, None)
    }

    /// Sends a `POST` request. An empty `token` stands for no token.
    pub fn post(&self, path: &str, token: &str, body: &Value) -> Response {
        self.connect().request("POST", path, token, Some(body))
    }

    /// Registers a user, and returns the user with an access token.
    pub fn register(&self, email: &str, password: &str) -> User {
        let body = serde_json::json!({"email": email, "password": password});
        let response = self.post("/api/auth/register", "", &body);
        User::of(&response.expect(201))
    }

    /// Sends a login request.
    pub fn log_in(&self, email: &str, password: &str) -> Response {
        let body = serde_json::json!({"email": email, "password": password});
        self.post("/api/auth/login", "", &body)
    }

    /// Sends a request that adds a task.
    pub fn add_task(&self, user: &User, title: &str) -> Response {
        let body = serde_json::json!({ "title": title });
        self.post("/api/tasks", &user.token, &body)
    }

    /// Returns the titles of up to 500 tasks of the user, newest first.
    pub fn task_titles(&self, user: &User) -> Vec<String> {
        let tasks = self.get("/api/tasks?limit=500", &user.token).expect(200);
        let to_title = |task: &Value| task["title"].as_str().unwrap().to_owned();
        tasks.as_array().unwrap().iter().map(to_title).collect()
    }

    /// Returns the most memory in bytes that the process has used at a time, as Linux counts it.
    pub fn peak_memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(path).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.unwrap().trim().trim_end_matches(" kB");
        kibibytes.parse::<u64>().unwrap() << 10
    }

    /// Sends a signal to the server process.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap()).unwrap()
    }

    /// Pauses the process. Returns when none of its threads runs any more.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
        waitpid(Some(self.pid()), WaitOptions::UNTRACED).unwrap();
    }

    /// Continues the paused process.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Asserts that the server exits within `limit`. Returns the exit code, or `None` if a signal ended the process.
    pub fn exit_within(&mut self, limit: Duration) -> Option<i32> {
        let has_ended = self.log.ended_within(limit);
        assert!(
            has_ended,
            "not exited after {limit:?}:\n{}",
            self.log.text()
        );
        self.child.wait().unwrap().code()
    }

    /// Stops the server with SIGTERM, as a supervisor does. Asserts that the exit code is 0, and returns the whole log.
    pub fn stop(mut self) -> Log {
        self.signal(Signal::TERM);
        let exit_code = self.exit_within(TIMEOUT);
        assert_eq!(exit_code, Some(0), "{}", self.log.text());
        self.log.clone()
    }

    /// Kills the server with SIGKILL, as the kernel does when memory runs out.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Errors are ignored, because the server may have exited already.
        let _already_exited = self.child.kill();
        let _already_exited = self.child.wait();
    }
}
