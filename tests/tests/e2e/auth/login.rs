//! Tests `POST /api/auth/login`.

mod rehash;
mod throttle;
mod unverified;

use std::thread::available_parallelism;
use std::time::Duration;

use auth_core::{Keyring, Secret, TokenVerifier};
use e2e::{App, Connection, Engine, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    a_login_creates_a_new_session,
    a_token_contains_its_user_and_its_lifetime,
    a_wrong_password_and_an_unknown_email_address_get_the_same_response,
    a_password_too_short_to_be_set_is_rejected_as_wrong,
    a_password_too_long_to_be_set_is_rejected,
    an_account_without_a_password_cannot_log_in,
    a_session_stores_the_ip_address_and_the_user_agent,
    any_user_agent_is_accepted,
}

pub(crate) const LOGIN: &str = "/api/auth/login";

/// Returns the body of a login or a registration.
pub(crate) fn credentials(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

/// Returns a bcrypt cost that is so high that many logins, sent at the same time, arrive faster than the server hashes
/// their passwords, even on a machine with many cores.
pub(crate) fn slow_bcrypt_cost() -> String {
    let core_count = available_parallelism().unwrap().get();
    (8 + core_count.ilog2()).min(15).to_string()
}

/// Sends a login with a wrong password on a new connection, with this IP address in the header `X-Forwarded-For`.
pub(crate) async fn send_wrong_login(app: &App, email: &str, ip_address: &str) -> Connection {
    let body = credentials(email, "not the password").to_string();
    let request = format!(
        "POST {LOGIN} HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
         x-forwarded-for: {ip_address}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = app.connect().await;
    connection.send(request.as_bytes()).await;
    connection
}

async fn a_login_creates_a_new_session(app: App) {
    let ada = app.user("ada").await;
    let account = ada.get("/api/auth/account").await.ok();
    app.clock.advance(Duration::from_secs(60));

    let body = credentials(ada.email(), ada.password());
    let first_response = app.anonymous().post(LOGIN, body.clone()).await.ok();
    let second_response = app.anonymous().post(LOGIN, body).await.ok();
    assert_eq!(first_response["user"], account);
    assert_eq!(first_response["token_type"], "Bearer");
    assert_eq!(first_response["expires_in"], 900);
    assert_ne!(first_response["session_id"], second_response["session_id"]);
    assert_ne!(
        first_response["access_token"],
        second_response["access_token"]
    );

    for token_response in [first_response, second_response] {
        let token = token_response["access_token"].as_str().unwrap();
        let session = app.bearer(token).get("/api/auth/session").await.ok();
        assert_eq!(session["session"]["id"], token_response["session_id"]);
        assert_eq!(session["user"]["id"], ada.id());
    }
}

async fn a_token_contains_its_user_and_its_lifetime(engine: Engine) {
    let app = App::on(engine)
        .set("access-token-ttl", "1h")
        .set("auth-issuer", "an issuer")
        .set("auth-audience", "an audience")
        .start();
    let ada = app.user("ada").await;
    let body = credentials(ada.email(), ada.password());
    let token_response = app.anonymous().post(LOGIN, body).await.ok();
    assert_eq!(token_response["expires_in"], 3600);

    let keyring = Keyring::new(Secret::new(app.secret()).unwrap());
    let verifier = TokenVerifier::new(keyring, "an issuer", "an audience").unwrap();
    let token = token_response["access_token"].as_str().unwrap();
    let login_claims = verifier.verify(token, app.clock.now()).unwrap();
    assert_eq!(login_claims.sub, ada.id());
    assert_eq!(login_claims.email.as_deref(), Some(ada.email()));
    let session_id = token_response["session_id"].as_str();
    assert_eq!(login_claims.sid.as_deref(), session_id);
    assert_eq!(
        (login_claims.iat, login_claims.exp),
        (1_795_179_471, 1_795_183_071)
    );
    let registration_claims = verifier.verify(ada.token(), app.clock.now()).unwrap();
    assert_ne!(login_claims.jti, registration_claims.jti);
}

async fn a_wrong_password_and_an_unknown_email_address_get_the_same_response(app: App) {
    let ada = app.user("ada").await;
    let wrong_credentials = credentials(ada.email(), "not the password");
    let wrong_response = app.anonymous().post(LOGIN, wrong_credentials).await;
    let unknown_credentials = credentials("eve@example.com", "not the password");
    let unknown_response = app.anonymous().post(LOGIN, unknown_credentials).await;
    for header_name in ["www-authenticate", "content-type", "content-length"] {
        assert_eq!(
            wrong_response.header(header_name),
            unknown_response.header(header_name)
        );
    }
    let wrong_problem = wrong_response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    assert_eq!(wrong_problem["message"], "Invalid email or password");
    let unknown_problem = unknown_response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    assert_eq!(wrong_problem, unknown_problem);
}

async fn a_password_too_short_to_be_set_is_rejected_as_wrong(app: App) {
    let ada = app.user("ada").await;
    for password in ["p", "short"] {
        let request = app
            .anonymous()
            .post(LOGIN, credentials(ada.email(), password));
        request.await.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    let request = app.anonymous().post(LOGIN, credentials(ada.email(), ""));
    request.await.invalid("password", "required", "is required");
}

async fn a_password_too_long_to_be_set_is_rejected(app: App) {
    let ada = app.user("ada").await;
    let longest_credentials = credentials(ada.email(), &"p".repeat(128));
    let response = app.anonymous().post(LOGIN, longest_credentials).await;
    response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    for length in [129, 4096, 60_000] {
        let too_long_credentials = credentials(ada.email(), &"p".repeat(length));
        let response = app.anonymous().post(LOGIN, too_long_credentials).await;
        let message = "must be at most 128 characters";
        response.invalid("password", "unacceptable_password", message);
    }
}

async fn an_account_without_a_password_cannot_log_in(app: App) {
    let ada = app.user("ada").await;
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    for password in [ada.password(), "null", "NULL"] {
        let request = app
            .anonymous()
            .post(LOGIN, credentials(ada.email(), password));
        request.await.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
}

async fn a_session_stores_the_ip_address_and_the_user_agent(app: App) {
    let ada = app.user("ada").await;
    let request = app
        .anonymous()
        .post(LOGIN, credentials(ada.email(), ada.password()))
        .header("user-agent", "curl/8 (Ada's)");
    let token_response = request.await.ok();
    let session_id = token_response["session_id"].as_str().unwrap();
    let read_column = |name: &str| {
        let query = format!("SELECT {name} FROM sessions WHERE id = '{session_id}'");
        app.database().value(&query)
    };
    assert_eq!(read_column("user_id").as_deref(), Some(ada.id()));
    assert_eq!(read_column("ip_address").as_deref(), Some("127.0.0.1"));
    assert_eq!(read_column("user_agent").as_deref(), Some("curl/8 (Ada's)"));
    let login_time = "2026-11-20 12:57:51.869123";
    assert_eq!(read_column("created_at").as_deref(), Some(login_time));
    assert_eq!(read_column("last_used_at").as_deref(), Some(login_time));
    let seven_days_later = "2026-11-27 12:57:51.869123";
    assert_eq!(read_column("expires_at").as_deref(), Some(seven_days_later));
    assert_eq!(read_column("counter").as_deref(), Some("0"));
    assert_eq!(read_column("revoked_at"), None);
}

async fn any_user_agent_is_accepted(app: App) {
    let ada = app.user("ada").await;
    let body = credentials(ada.email(), ada.password()).to_string();
    let mut connection = app.connect().await;
    let request_head = format!(
        "POST {LOGIN} HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nuser-agent: ",
        body.len()
    );
    let user_agent = b"\xff\xfe\t'; DROP TABLE users; -- \xf0\x9f\x98\x80";
    let request_parts = [
        request_head.as_bytes(),
        user_agent,
        b"\r\n\r\n",
        body.as_bytes(),
    ];
    connection.send(&request_parts.concat()).await;
    let token_response = connection.response().await.unwrap().ok();

    let session_id = token_response["session_id"].as_str().unwrap();
    let query = format!("SELECT user_agent FROM sessions WHERE id = '{session_id}'");
    let stored_user_agent = app.database().value(&query).unwrap();
    assert_eq!(
        stored_user_agent,
        "\u{fffd}\u{fffd}'; DROP TABLE users; -- 😀"
    );
}
