//! Tests that the log contains no secret, even at the level TRACE, and that logins and registrations are logged.

use e2e::{App, Client, log_lines, on_both_engines};
use serde_json::json;
use uuid::Uuid;

on_both_engines! {
    no_password_hash_token_or_secret_reaches_the_log,
    logins_and_registrations_are_logged,
}

/// Sends valid and invalid requests that contain passwords and tokens. Then damages the database, so that two more
/// requests fail with an internal error.
async fn send_secrets_everywhere(app: &App, ada: &Client, wrong_password: &str) {
    let anonymous = app.anonymous();
    for (email, password) in [
        (ada.email(), ada.password()),
        (ada.email(), wrong_password),
        ("eve@example.com", wrong_password),
        ("no address", wrong_password),
        (ada.email(), &wrong_password.repeat(10)),
    ] {
        for path in ["/api/auth/login", "/api/auth/register"] {
            let body = json!({ "email": email, "password": password });
            let _response = anonymous.post(path, body).await;
            let body_of_wrong_type = json!({ "email": email, "password": { "is": password } });
            let _response = anonymous.post(path, body_of_wrong_type).await;
            let body_with_swapped_fields = json!({ "email": password, "password": email });
            let _response = anonymous.post(path, body_with_swapped_fields).await;
            let invalid_json = format!(r#"{{"email":"{email}","password":"{password}"#);
            let _response = anonymous.post(path, invalid_json).await;
        }
    }
    let authorization = format!("Bearer {}", ada.token());
    ada.get("/api/auth/session").await.ok();
    ada.get("/api/auth/account").await.ok();
    let _response = ada
        .get("/api/auth/session")
        .header("authorization", &authorization)
        .await;
    let _response = app
        .bearer(format!("{}x", ada.token()))
        .get("/api/tasks")
        .await;
    let _response = app.bearer(wrong_password).get("/api/tasks").await;
    let _response = anonymous
        .get("/api/tasks")
        .header("authorization", wrong_password)
        .await;
    app.database().execute("DROP TABLE tasks");
    let _response = ada.get("/api/tasks").await;
    app.database()
        .execute("UPDATE users SET password_hash = 'canary'");
    let login_body = json!({ "email": ada.email(), "password": ada.password() });
    let _response = anonymous.post("/api/auth/login", login_body).await;
}

async fn no_password_hash_token_or_secret_reaches_the_log(app: App) {
    let password = Uuid::new_v4().to_string();
    let wrong_password = Uuid::new_v4().to_string();
    let body = json!({ "email": "ada@example.com", "password": password });
    let response = app.anonymous().post("/api/auth/register", body).await;
    let token_response = response.created();
    let password_hash = app
        .database()
        .value("SELECT password_hash FROM users")
        .unwrap();
    let bearer = app.bearer(token_response["access_token"].as_str().unwrap());
    let ada = bearer.with_login("ada@example.com", &password);

    send_secrets_everywhere(&app, &ada, &wrong_password).await;

    let (_, signature) = ada.token().rsplit_once('.').unwrap();
    for secret in [
        &password,
        &wrong_password,
        &password_hash,
        app.secret(),
        ada.token(),
        signature,
    ] {
        let lines = log_lines::find_at_every_level(secret);
        assert!(lines.is_empty(), "{lines:?}");
    }
}

async fn logins_and_registrations_are_logged(app: App) {
    let ada = app.user("ada").await;
    let body = json!({ "email": ada.email(), "password": ada.password() });
    let token_response = app.anonymous().post("/api/auth/login", body).await.ok();
    let session_id = token_response["session_id"].as_str().unwrap();
    let lines = log_lines::find(ada.id());
    let is_logged = |text: &str| {
        lines
            .iter()
            .any(|line| line.starts_with("INFO") && line.contains(text))
    };
    assert!(is_logged("registered user_id="), "{lines:?}");
    assert!(is_logged(&format!("session_id={session_id}")), "{lines:?}");
}
