//! Signs browsers in with Better Auth's API, and builds the requests that a browser sends.

use std::time::Duration;

use auth_core::session_token::SessionTokens;
use auth_core::{Keyring, Secret};
use e2e::{App, Request, Response};
use serde_json::{Value, json};

pub(crate) const SIGN_UP: &str = "/api/auth/sign-up/email";
pub(crate) const SIGN_IN: &str = "/api/auth/sign-in/email";
pub(crate) const GET_SESSION: &str = "/api/auth/get-session";
pub(crate) const LIST_SESSIONS: &str = "/api/auth/list-sessions";
pub(crate) const CHANGE_PASSWORD: &str = "/api/auth/change-password";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const SERVER_ORIGIN: &str = "http://127.0.0.1:8080";
pub(crate) const SESSION_COOKIE: &str = "better-auth.session_token";
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
pub(crate) const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

pub(crate) const UNAUTHORIZED: (u16, &str, &str) = (401, "UNAUTHORIZED", "Unauthorized");

/// The `Set-Cookie` values that clear the cookies of a session.
pub(crate) const CLEARED_COOKIES: [&str; 3] = [
    "better-auth.session_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
    "better-auth.session_data=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
    "better-auth.dont_remember=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
];

/// A browser that has signed in.
#[derive(Debug, Clone)]
pub(crate) struct Browser {
    pub(crate) user: Value,
    /// The session token without its signature.
    pub(crate) token: String,
    /// The `Cookie` header that the browser sends.
    pub(crate) cookies: String,
}

impl Browser {
    /// Returns a browser with the user, the token and the cookies of this response.
    #[track_caller]
    pub(crate) fn from_response(response: &Response) -> Self {
        let body: Value = serde_json::from_str(&response.text()).unwrap();
        let set_cookies = response.header_values("set-cookie").into_iter();
        let kept_cookies = set_cookies.filter(|cookie| !cookie.contains("Max-Age=0"));
        let cookie_pairs = kept_cookies.map(|cookie| cookie.split(';').next().unwrap());
        Self {
            token: body["token"].as_str().unwrap().to_owned(),
            user: body["user"].clone(),
            cookies: cookie_pairs.collect::<Vec<_>>().join("; "),
        }
    }

    pub(crate) fn get(&self, app: &App, path: &str) -> Request {
        let request = app.anonymous().get(path);
        request.header("cookie", &self.cookies)
    }

    pub(crate) fn post(&self, app: &App, path: &str, body: Value) -> Request {
        let request = app.anonymous().post(path, body);
        let request = request.header("cookie", &self.cookies);
        request.header("origin", SERVER_ORIGIN)
    }

    /// Returns the body of `get-session`, which is `null` if the browser is not signed in.
    pub(crate) async fn session(&self, app: &App) -> Value {
        self.get(app, GET_SESSION).await.ok()
    }

    pub(crate) async fn is_signed_in(&self, app: &App) -> bool {
        !self.session(app).await.is_null()
    }

    /// Returns the decoded value of the session cookie: the token and its signature.
    pub(crate) fn signed_token(&self) -> String {
        signed_token(&self.cookies)
    }
}

/// Returns the decoded value of the session cookie in a `Cookie` or a `Set-Cookie` header.
pub(crate) fn signed_token(cookie_header: &str) -> String {
    let (_, cookie_value) = cookie_header
        .split_once(&format!("{SESSION_COOKIE}="))
        .unwrap();
    let encoded = cookie_value.split(';').next().unwrap();
    let partly_decoded = encoded.replace("%2B", "+").replace("%2F", "/");
    partly_decoded.replace("%3D", "=")
}

pub(crate) fn sign_up_body(name: &str) -> Value {
    json!({ "name": name, "email": format!("{name}@example.com"), "password": PASSWORD })
}

pub(crate) async fn sign_up(app: &App, name: &str) -> Browser {
    let response = app.anonymous().post(SIGN_UP, sign_up_body(name)).await;
    Browser::from_response(&response.assert_status(200))
}

/// Signs in with [`PASSWORD`] from a new browser.
pub(crate) async fn sign_in(app: &App, email: &str) -> Browser {
    let body = json!({ "email": email, "password": PASSWORD });
    let response = app.anonymous().post(SIGN_IN, body).await;
    Browser::from_response(&response.assert_status(200))
}

/// Asserts the status, and that the body has only this message and code. If `code` is empty, the body has no code.
#[track_caller]
pub(crate) fn assert_error(response: &Response, (status, code, message): (u16, &str, &str)) {
    assert_eq!(response.status(), status, "{}", response.text());
    let content_type = response.header("content-type");
    assert_eq!(content_type, Some("application/json"), "{response:?}");
    let body: Value = serde_json::from_str(&response.text()).unwrap();
    let expected = match code {
        "" => json!({ "message": message }),
        code => json!({ "message": message, "code": code }),
    };
    assert_eq!(body, expected);
}

/// Asserts a 404 without a body.
#[track_caller]
pub(crate) fn assert_404_without_body(response: &Response) {
    assert_eq!(response.status(), 404, "{}", response.text());
    assert_eq!(response.header("content-type"), None);
    assert!(response.text().is_empty());
}

/// Returns the encoder and decoder of session tokens for this secret.
pub(crate) fn session_tokens(secret: &str) -> SessionTokens {
    SessionTokens::new(&Keyring::new(Secret::new(secret).unwrap()))
}

/// Percent-encodes a signed value as JavaScript's `encodeURIComponent` does.
pub(crate) fn percent_encode(signed_value: &str) -> String {
    let partly_encoded = signed_value.replace('+', "%2B").replace('/', "%2F");
    partly_encoded.replace('=', "%3D")
}
