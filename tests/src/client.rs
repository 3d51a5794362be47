//! Defines the callers of the server, and the requests that callers send.

use std::future::{Future, IntoFuture};
use std::net::SocketAddr;
use std::pin::Pin;

use serde_json::Value;

use crate::{Connection, Response};

/// A caller of the server, with or without an account.
#[derive(Debug, Clone)]
pub struct Client {
    addr: SocketAddr,
    identity: Identity,
}

/// The account and the access token of a caller; the default is an anonymous caller.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identity {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) token: Option<String>,
}

impl Client {
    pub(crate) fn new(addr: SocketAddr, identity: Identity) -> Self {
        Self { addr, identity }
    }

    /// Sets the caller's user id, without a request to the server.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.identity.id);
        self
    }

    /// Sets the caller's email address and password, without a request to the server.
    #[must_use]
    pub fn with_login(mut self, email: &str, password: &str) -> Self {
        email.clone_into(&mut self.identity.email);
        password.clone_into(&mut self.identity.password);
        self
    }

    /// The caller's user id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.identity.id
    }

    /// The caller's email address.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.identity.email
    }

    /// The caller's password.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.identity.password
    }

    /// The caller's access token; empty for a caller without a token.
    #[must_use]
    pub fn token(&self) -> &str {
        self.identity.token.as_deref().unwrap_or_default()
    }

    /// Returns the URL path of the caller's tasks.
    #[must_use]
    pub fn tasks(&self) -> String {
        format!("/api/{}/tasks", self.id())
    }

    /// Returns the URL path of one of the caller's tasks.
    #[must_use]
    pub fn task(&self, task_id: &Value) -> String {
        format!("/api/{}/tasks/{task_id}", self.id())
    }

    /// Builds a request with the caller's token.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let request = Request {
            addr: self.addr,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Body::default(),
        };
        match &self.identity.token {
            Some(token) => request.header("authorization", &format!("Bearer {token}")),
            None => request,
        }
    }

    /// Builds a `GET` request.
    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    /// Builds a `POST` request.
    pub fn post(&self, path: &str, body: impl Into<Body>) -> Request {
        self.request("POST", path).body(body)
    }

    /// Builds a `PUT` request.
    pub fn put(&self, path: &str, body: impl Into<Body>) -> Request {
        self.request("PUT", path).body(body)
    }

    /// Builds a `PATCH` request.
    pub fn patch(&self, path: &str, body: impl Into<Body>) -> Request {
        self.request("PATCH", path).body(body)
    }

    /// Builds a `DELETE` request.
    pub fn delete(&self, path: &str) -> Request {
        self.request("DELETE", path)
    }

    /// Creates a task with this title, and returns the task.
    pub async fn new_task(&self, title: &str) -> Value {
        let body = serde_json::json!({ "title": title });
        self.post(&self.tasks(), body).await.created()
    }

    /// Returns the caller's tasks, the newest first, but at most 500.
    pub async fn all_tasks(&self) -> Value {
        self.get(&format!("{}?limit=500", self.tasks())).await.ok()
    }
}

/// A request body. A [`Value`] or text is sent as JSON, and bytes are sent without a `Content-Type`.
#[derive(Debug, Clone, Default)]
pub struct Body {
    bytes: Vec<u8>,
    content_type: Option<&'static str>,
}

impl From<Value> for Body {
    fn from(value: Value) -> Self {
        value.to_string().into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self {
            bytes: text.into_bytes(),
            content_type: Some("application/json"),
        }
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            content_type: None,
        }
    }
}

/// A request. Awaiting this value sends the request on a new connection.
#[derive(Debug, Clone)]
#[must_use = "a request is sent when it is awaited"]
pub struct Request {
    addr: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Body,
}

impl Request {
    /// Whether the method is `GET`.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.method == "GET"
    }

    /// Returns the method and the path, as in `GET /healthz`.
    #[must_use]
    pub fn operation(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Adds a header field, even if the request already has a field with this name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body and, unless the body is bytes, the `Content-Type` header.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        match self.body.content_type {
            Some(content_type) => self.header("content-type", content_type),
            None => self,
        }
    }

    /// Encodes the request as HTTP/1.1.
    fn encode(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        let body_length = self.body.bytes.len().to_string();
        let host = self.addr.to_string();
        let fixed_headers = [("host", host.as_str()), ("connection", "close")];
        let has_length_header =
            !matches!(self.method.as_str(), "GET" | "HEAD") || !self.body.bytes.is_empty();
        let owned_headers = self.headers.iter();
        let added_headers = owned_headers.map(|(name, value)| (name.as_str(), value.as_str()));
        let length_header = has_length_header.then_some(("content-length", body_length.as_str()));
        let headers = fixed_headers.into_iter().chain(added_headers);
        for (name, value) in headers.chain(length_header) {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head.push_str("\r\n");
        [head.into_bytes(), self.body.bytes.clone()].concat()
    }

    async fn send(self) -> Response {
        let mut connection = Connection::open(self.addr).await;
        connection.send(&self.encode()).await;
        let response = connection.response_to(&self.method).await;
        response.unwrap_or_else(|| panic!("no response to {} {}", self.method, self.path))
    }
}

impl IntoFuture for Request {
    type Output = Response;
    type IntoFuture = Pin<Box<dyn Future<Output = Response>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
