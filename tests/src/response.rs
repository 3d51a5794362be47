//! Defines the responses of the server, and assertions about responses.

use std::io::Read;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

/// A response of the server.
#[derive(Debug, Clone)]
#[must_use = "a response without an assertion tests nothing"]
pub struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(status: u16, headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self {
            status,
            headers,
            body,
        }
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the value of the header with this lower-case name. Panics if several headers have this name.
    #[must_use]
    #[track_caller]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self
            .headers
            .iter()
            .filter(|(header_name, _)| header_name == name);
        let first_value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "two {name}: {self:?}");
        first_value
    }

    /// Returns the values of all headers with this lower-case name.
    #[must_use]
    pub fn header_values(&self, name: &str) -> Vec<&str> {
        let values = self
            .headers
            .iter()
            .filter(|(header_name, _)| header_name == name);
        values.map(|(_, value)| value.as_str()).collect()
    }

    /// Returns the body as text, decompressed if it is compressed. Bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> String {
        // A response to `HEAD` may have a `Content-Encoding`, but has no body.
        if self.header("content-encoding") != Some("gzip") || self.body.is_empty() {
            return String::from_utf8_lossy(&self.body).into_owned();
        }
        let mut bytes = Vec::new();
        GzDecoder::new(&*self.body).read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Returns the string member `code` of a JSON body, as in a problem document; empty for any other body.
    #[must_use]
    pub fn code(&self) -> String {
        let body: Option<Value> = serde_json::from_slice(&self.body).ok();
        let code = body.and_then(|body| body["code"].as_str().map(ToOwned::to_owned));
        code.unwrap_or_default()
    }

    /// Asserts that the response has this status code.
    #[track_caller]
    pub fn assert_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Asserts the status 200 and the headers of a successful JSON response. Returns the JSON body.
    #[track_caller]
    #[expect(
        clippy::must_use_candidate,
        reason = "often the status is all that matters"
    )]
    pub fn ok(self) -> Value {
        self.assert_status(200).json()
    }

    /// Asserts the status 201 and the headers of a successful JSON response. Returns the JSON body.
    #[track_caller]
    #[expect(
        clippy::must_use_candidate,
        reason = "often the status is all that matters"
    )]
    pub fn created(self) -> Value {
        self.assert_status(201).json()
    }

    #[track_caller]
    fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert!(self.header("x-request-id").is_some(), "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts that the response is a problem document with this status and code, and has the headers of a problem
    /// document with this status. Returns the JSON body.
    #[track_caller]
    #[expect(
        clippy::must_use_candidate,
        reason = "often the code is all that matters"
    )]
    pub fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(
            (self.status, self.code().as_str()),
            (status, code),
            "{}",
            self.text()
        );
        self.assert_problem_headers();
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        let mut expected_body = json!({
            "status": status,
            "title": title(status),
            "code": code,
            "detail": body["detail"],
            "message": body["detail"],
        });
        assert!(
            body["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty()),
            "{body}"
        );
        if code == "VALIDATION_ERROR" {
            expected_body["errors"] = body["errors"].clone();
            assert!(
                body["errors"]
                    .as_array()
                    .is_some_and(|errors| !errors.is_empty()),
                "{body}"
            );
        }
        assert_eq!(body, expected_body);
        body
    }

    /// Asserts the status 422, and that the body reports one error: this code and this message for this field.
    #[track_caller]
    pub fn invalid(self, field: &str, code: &str, message: &str) {
        let body = self.problem(422, "VALIDATION_ERROR");
        let expected_errors = json!([{ "field": field, "code": code, "message": message }]);
        assert_eq!(body["errors"], expected_errors);
    }

    #[track_caller]
    fn assert_problem_headers(&self) {
        let content_type = self.header("content-type");
        assert_eq!(content_type, Some("application/problem+json"), "{self:?}");
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert!(self.header("x-request-id").is_some(), "{self:?}");
        let challenge = self.header("www-authenticate");
        let has_challenge =
            challenge.is_some_and(|value| value.starts_with(r#"Bearer realm="api""#));
        assert_eq!(has_challenge, self.status == 401, "{self:?}");
        let retry_after = self.header("retry-after").map(str::parse::<u32>);
        let has_retry_after =
            retry_after.is_some_and(|result| result.is_ok_and(|seconds| seconds > 0));
        assert_eq!(
            has_retry_after,
            matches!(self.status, 429 | 503),
            "{self:?}"
        );
        assert_eq!(
            self.header("allow").is_some(),
            self.status == 405,
            "{self:?}"
        );
    }
}

/// Returns the title of a problem with this status: the reason phrase of RFC 9110 § 15, except for 413 (RFC 7231), 422
/// (RFC 4918) and 429 (RFC 6585).
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Payload Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "no such problem",
    }
}
