//! Tests that a user cannot choose a common password, but can log in with one that is already stored.

use auth_core::password::{Cost, Password};
use e2e::{App, Engine, Response, on_both_engines};
use serde_json::json;

use crate::auth::login::{LOGIN, credentials};
use crate::better_auth::fixtures::{Browser, assert_error};

on_both_engines! {
    a_common_password_is_rejected_when_a_user_chooses_it,
    a_common_password_is_reported_together_with_an_invalid_email_address,
    a_password_that_only_contains_a_common_password_is_accepted,
    a_common_password_that_is_already_stored_still_logs_in,
    a_password_on_the_list_of_the_operator_is_rejected,
    a_better_auth_client_gets_the_code_for_a_compromised_password,
}

const REGISTER: &str = "/api/auth/register";
const COMMON_PASSWORDS: &[&str] = &[
    "password",
    "PassWord",
    "12345678",
    "ｐａｓｓｗｏｒｄ",
    "１２３４５６７８",
    "qwertyuiop",
    "iloveyou1",
];

#[track_caller]
fn assert_common_password_error(response: Response, field: &str) {
    let problem = response.problem(422, "VALIDATION_ERROR");
    let error = json!({
        "field": field,
        "code": "common_password",
        "message": "is one of the passwords that are guessed first; choose another",
    });
    assert_eq!(problem["errors"], json!([error]));
}

async fn a_common_password_is_rejected_when_a_user_chooses_it(app: App) {
    let ada = app.user("ada").await;
    for common_password in COMMON_PASSWORDS {
        let body = credentials("eve@example.com", common_password);
        assert_common_password_error(app.anonymous().post(REGISTER, body).await, "password");
        let change_body =
            json!({ "current_password": ada.password(), "new_password": common_password });
        let response = ada.post("/api/auth/change-password", change_body).await;
        assert_common_password_error(response, "new_password");
    }
    let login_body = credentials(ada.email(), ada.password());
    app.anonymous().post(LOGIN, login_body).await.ok();
}

async fn a_common_password_is_reported_together_with_an_invalid_email_address(app: App) {
    let body = credentials("no address", "password");
    let response = app.anonymous().post(REGISTER, body).await;
    let problem = response.problem(422, "VALIDATION_ERROR");
    let codes = [&problem["errors"][0]["code"], &problem["errors"][1]["code"]];
    assert_eq!(codes, ["invalid_email", "common_password"]);
}

async fn a_password_that_only_contains_a_common_password_is_accepted(app: App) {
    for (number, password) in [
        "password is no good",
        " password",
        "pässword",
        "1234567890 is too short",
    ]
    .iter()
    .enumerate()
    {
        let body = credentials(&format!("{number}@example.com"), password);
        app.anonymous().post(REGISTER, body).await.created();
    }
}

async fn a_common_password_that_is_already_stored_still_logs_in(app: App) {
    let ada = app.user("ada").await;
    let password = Password::new("password").unwrap();
    let hash = password.hash(Cost::new(4).unwrap()).unwrap();
    let statement = format!("UPDATE users SET password_hash = '{}'", hash.as_str());
    app.database().execute(&statement);
    let login_request = app
        .anonymous()
        .post(LOGIN, credentials(ada.email(), "password"));
    login_request.await.ok();
}

async fn a_password_on_the_list_of_the_operator_is_rejected(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let list_file = folder.path().join("list.txt");
    std::fs::write(&list_file, "Acme Ltd 2026\r\nZürich Hauptbahnhof\n").unwrap();
    let app = App::on(engine)
        .set("password-blocklist", list_file.to_str().unwrap())
        .start();
    let ada = app.user("ada").await;
    for listed_password in ["acme ltd 2026", "ZÜRICH HAUPTBAHNHOF", "password"] {
        let body = credentials("eve@example.com", listed_password);
        assert_common_password_error(app.anonymous().post(REGISTER, body).await, "password");
        let change_body =
            json!({ "current_password": ada.password(), "new_password": listed_password });
        let response = ada.post("/api/auth/change-password", change_body).await;
        assert_common_password_error(response, "new_password");
        assert_compromised_password_error(&sign_up(&app, listed_password).await);
    }
    let body = credentials("eve@example.com", "acme ltd 2027");
    app.anonymous().post(REGISTER, body).await.created();
}

async fn sign_up(app: &App, password: &str) -> Response {
    let body = json!({ "email": "bob@example.com", "password": password, "name": "" });
    app.anonymous().post("/api/auth/sign-up/email", body).await
}

#[track_caller]
fn assert_compromised_password_error(response: &Response) {
    let message =
        "The password you entered has been compromised. Please choose a different password.";
    assert_error(response, (400, "PASSWORD_COMPROMISED", message));
}

async fn a_better_auth_client_gets_the_code_for_a_compromised_password(app: App) {
    let ada = app.user("ada").await;
    for common_password in COMMON_PASSWORDS {
        assert_compromised_password_error(&sign_up(&app, common_password).await);
        let change_body =
            json!({ "currentPassword": ada.password(), "newPassword": common_password });
        let sign_in_body = json!({ "email": ada.email(), "password": ada.password() });
        let response = app
            .anonymous()
            .post("/api/auth/sign-in/email", sign_in_body)
            .await;
        let browser = Browser::from_response(&response);
        let response = browser
            .post(&app, "/api/auth/change-password", change_body)
            .await;
        assert_compromised_password_error(&response);
        let reset_body = json!({ "newPassword": common_password, "token": "x" });
        assert_compromised_password_error(
            &app.anonymous()
                .post("/api/auth/reset-password", reset_body)
                .await,
        );
    }
}
