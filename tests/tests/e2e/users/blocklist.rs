//! Common passwords: rejected when a password is chosen, accepted at login.

use auth_core::password::{Cost, Password};
use e2e::{App, Engine, Response, on_both_engines};
use serde_json::json;

use crate::auth::login::{LOGIN, credentials};
use crate::better_auth::fixtures::{Browser, assert_error};

on_both_engines! {
    a_common_password_is_rejected_where_one_is_set,
    a_common_password_is_reported_with_all_other_errors,
    a_password_that_only_contains_a_common_one_may_be_set,
    a_common_password_that_was_set_before_still_logs_in,
    a_password_on_the_operators_list_is_rejected_too,
    a_better_auth_client_gets_the_code_for_a_compromised_password,
}

const REGISTER: &str = "/api/auth/register";
const COMMON: &[&str] = &[
    "password",
    "PassWord",
    "12345678",
    "ｐａｓｓｗｏｒｄ",
    "１２３４５６７８",
    "qwertyuiop",
    "iloveyou1",
];

#[track_caller]
fn assert_common(response: Response, field: &str) {
    let problem = response.problem(422, "VALIDATION_ERROR");
    let error = json!({
        "field": field,
        "code": "common_password",
        "message": "is one of the passwords that are guessed first; choose another",
    });
    assert_eq!(problem["errors"], json!([error]));
}

async fn a_common_password_is_rejected_where_one_is_set(app: App) {
    let ada = app.user("ada").await;
    for common in COMMON {
        let body = credentials("eve@example.com", common);
        assert_common(app.anonymous().post(REGISTER, body).await, "password");
        let body = json!({ "current_password": ada.password(), "new_password": common });
        let response = ada.post("/api/auth/change-password", body).await;
        assert_common(response, "new_password");
    }
    let unchanged = credentials(ada.email(), ada.password());
    app.anonymous().post(LOGIN, unchanged).await.ok();
}

async fn a_common_password_is_reported_with_all_other_errors(app: App) {
    let body = credentials("no address", "password");
    let response = app.anonymous().post(REGISTER, body).await;
    let problem = response.problem(422, "VALIDATION_ERROR");
    let codes = [&problem["errors"][0]["code"], &problem["errors"][1]["code"]];
    assert_eq!(codes, ["invalid_email", "common_password"]);
}

async fn a_password_that_only_contains_a_common_one_may_be_set(app: App) {
    for (number, text) in [
        "password is no good",
        " password",
        "pässword",
        "1234567890 is too short",
    ]
    .iter()
    .enumerate()
    {
        let body = credentials(&format!("{number}@example.com"), text);
        app.anonymous().post(REGISTER, body).await.created();
    }
}

async fn a_common_password_that_was_set_before_still_logs_in(app: App) {
    let ada = app.user("ada").await;
    let hash = Password::new("password").unwrap();
    let hash = hash.hash(Cost::new(4).unwrap()).unwrap();
    let update = format!("UPDATE users SET password_hash = '{}'", hash.as_str());
    app.database().execute(&update);
    let login = app
        .anonymous()
        .post(LOGIN, credentials(ada.email(), "password"));
    login.await.ok();
}

async fn a_password_on_the_operators_list_is_rejected_too(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("list.txt");
    std::fs::write(&file, "Acme Ltd 2026\r\nZürich Hauptbahnhof\n").unwrap();
    let app = App::on(engine)
        .set("password-blocklist", file.to_str().unwrap())
        .start();
    let ada = app.user("ada").await;
    for listed in ["acme ltd 2026", "ZÜRICH HAUPTBAHNHOF", "password"] {
        let body = credentials("eve@example.com", listed);
        assert_common(app.anonymous().post(REGISTER, body).await, "password");
        let body = json!({ "current_password": ada.password(), "new_password": listed });
        let response = ada.post("/api/auth/change-password", body).await;
        assert_common(response, "new_password");
        assert_compromised(&sign_up(&app, listed).await);
    }
    let body = credentials("eve@example.com", "acme ltd 2027");
    app.anonymous().post(REGISTER, body).await.created();
}

async fn sign_up(app: &App, password: &str) -> Response {
    let body = json!({ "email": "bob@example.com", "password": password, "name": "" });
    app.anonymous().post("/api/auth/sign-up/email", body).await
}

#[track_caller]
fn assert_compromised(response: &Response) {
    let message =
        "The password you entered has been compromised. Please choose a different password.";
    assert_error(response, (400, "PASSWORD_COMPROMISED", message));
}

async fn a_better_auth_client_gets_the_code_for_a_compromised_password(app: App) {
    let ada = app.user("ada").await;
    for common in COMMON {
        assert_compromised(&sign_up(&app, common).await);
        let body = json!({ "currentPassword": ada.password(), "newPassword": common });
        let signed_in = json!({ "email": ada.email(), "password": ada.password() });
        let signed_in = app
            .anonymous()
            .post("/api/auth/sign-in/email", signed_in)
            .await;
        let browser = Browser::of(&signed_in);
        let response = browser.post(&app, "/api/auth/change-password", body).await;
        assert_compromised(&response);
        let body = json!({ "newPassword": common, "token": "x" });
        assert_compromised(&app.anonymous().post("/api/auth/reset-password", body).await);
    }
}
