//! Defines an HTTP/1.1 client that can also send an incomplete request.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::Duration;

use rustix::io::ioctl_fionread;
use serde_json::Value;

use super::TIMEOUT;

/// A connection that stays open until one side closes it.
#[derive(Debug)]
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Opens a connection to this socket address.
    pub fn open(addr: SocketAddr) -> Self {
        Self::try_open(addr).unwrap()
    }

    /// Opens a connection, if the server accepts connections.
    ///
    /// # Errors
    /// Fails with the error of the operating system.
    pub fn try_open(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends these bytes.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes).unwrap();
    }

    /// Sends bytes to a server that may close the connection before all bytes are sent.
    pub fn send_ignoring_errors(&mut self, bytes: impl AsRef<[u8]>) {
        let _closed_by_server = self.try_send(bytes);
    }

    fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.get_mut().write_all(bytes.as_ref())
    }

    /// Waits until the number of received but unread bytes has not changed for 0.2 s. The buffers of the connection are
    /// then full if the server still has bytes to send. Returns at once if no unread byte has arrived yet.
    pub fn wait_until_full(&self) {
        let unread_count = || ioctl_fionread(self.0.get_ref()).unwrap();
        let mut previous_count = 0;
        while unread_count() != previous_count {
            previous_count = unread_count();
            sleep(Duration::from_millis(200));
        }
    }

    /// Sends a request and reads the response. An empty `token` stands for no token.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Response {
        self.try_request(method, path, token, body).unwrap()
    }

    /// Like [`Self::request`], for a server that may have stopped.
    ///
    /// # Errors
    /// Fails with the error of the operating system, or with `UnexpectedEof` if the server closes the connection before
    /// the response is complete.
    pub fn try_request(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> io::Result<Response> {
        let body_text = body.map(Value::to_string).unwrap_or_default();
        let authorization = match token {
            "" => String::new(),
            token => format!("Authorization: Bearer {token}\r\n"),
        };
        self.try_send(format!(
            "{method} {path} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n\
             {authorization}Content-Length: {}\r\n\r\n{body_text}",
            body_text.len()
        ))?;
        self.try_response()
    }

    /// Reads the response to a request that was sent before.
    pub fn response(&mut self) -> Response {
        self.try_response().unwrap()
    }

    fn try_response(&mut self) -> io::Result<Response> {
        let head = self.try_head()?;
        let mut body = vec![0; content_length(&head)];
        self.0.read_exact(&mut body)?;
        Ok(Response {
            status: head.get(9..12).unwrap().parse().unwrap(),
            body: String::from_utf8(body).unwrap(),
        })
    }

    /// Reads the status line and the headers of a response.
    pub fn head(&mut self) -> String {
        self.try_head().unwrap()
    }

    fn try_head(&mut self) -> io::Result<String> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(head)
    }

    /// Reads until the server closes the connection. Returns `false` if the server sends nothing for [`TIMEOUT`].
    pub fn wait_until_closed(&mut self) -> bool {
        let mut remaining_bytes = Vec::new();
        match self.0.read_to_end(&mut remaining_bytes) {
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

fn content_length(head: &str) -> usize {
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let mut lengths = headers.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths
        .next()
        .map_or(0, |(_, length)| length.parse().unwrap())
}

/// The status code and the body of a response.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "tests read its fields")]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

impl Response {
    /// Asserts this status and returns the JSON body.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A user who is logged in.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "tests read its fields")]
pub struct User {
    /// The email address of the account.
    pub email: String,
    /// The access token.
    pub token: String,
}

impl User {
    /// Creates a user from the response to a login or a registration.
    pub fn of(token_response: &Value) -> Self {
        Self {
            email: token_response["user"]["email"].as_str().unwrap().to_owned(),
            token: token_response["access_token"].as_str().unwrap().to_owned(),
        }
    }
}
