//! Tests registrations on a server that requires a verified email address before the first login.

use std::time::Duration;

use e2e::{App, Engine, Mail, Request, Response, on_both_engines};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::auth::email_verification::{CONFIRM, challenge_id, confirm_with_password, mail_of};
use crate::auth::login::{LOGIN, credentials};
use crate::auth::password_reset::{self, NEW_PASSWORD};
use crate::mail::{received, until_nothing_waits};
use crate::sessions::fixtures::{Device, SERVER_ORIGIN, are_live, count, login};

on_both_engines! {
    an_app_registers_confirms_the_code_and_logs_in,
    a_browser_registers_and_follows_the_link,
    free_and_taken_addresses_get_the_same_response,
    registering_a_taken_address_in_any_spelling_changes_no_account,
    an_address_in_an_earlier_spelling_is_taken,
    the_owner_of_a_taken_address_is_told_at_most_once_an_hour,
    a_challenge_of_a_taken_address_counts_codes_like_any_other,
    one_of_twenty_parallel_registrations_creates_the_account,
    a_registration_ends_no_session_of_the_browser,
    a_registration_of_a_taken_address_counts_towards_the_limit_of_the_network,
}

const REGISTER: &str = "/api/auth/register";
const PASSWORD: &str = "correct horse";

fn start(engine: Engine) -> App {
    App::on(engine)
        .set("email-verification", "required")
        .start()
}

fn register(app: &App, email: &str, password: &str) -> Request {
    app.anonymous().post(REGISTER, credentials(email, password))
}

/// Registers this address, and verifies it.
async fn verified_user(app: &App, email: &str) {
    let challenge_id = challenge_id(register(app, email, PASSWORD).await);
    let mail = mail_of(app, &challenge_id).await;
    let response = confirm_with_password(app, mail.token(), PASSWORD).await;
    response.ok();
}

async fn an_app_registers_confirms_the_code_and_logs_in(engine: Engine) {
    let app = start(engine);
    let challenge_id = challenge_id(register(&app, "ada@example.com", PASSWORD).await);
    let mail = mail_of(&app, &challenge_id).await;
    assert_eq!(mail.kind(), "email_verification");
    assert_eq!(mail.header("To"), "ada@example.com");
    let mut body = json!({ "challenge_id": challenge_id, "code": mail.code() });
    let response = app.anonymous().post(CONFIRM, body.clone()).await;
    response.problem(403, "PASSWORD_REQUIRED");
    body["password"] = PASSWORD.into();
    let verified = app.anonymous().post(CONFIRM, body).await.ok();
    assert_eq!(verified["user"]["email_verified"], true);
    assert_eq!(count(&app, "sessions"), 0);
    let response = app
        .anonymous()
        .post(LOGIN, credentials("ada@example.com", PASSWORD))
        .await;
    assert_eq!(response.ok()["user"], verified["user"]);
}

async fn a_browser_registers_and_follows_the_link(engine: Engine) {
    let app = start(engine);
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Ada" });
    let response = app.anonymous().post("/api/auth/signup", body).await;
    let mail = mail_of(&app, &challenge_id(response)).await;
    let response = confirm_with_password(&app, mail.token(), PASSWORD).await;
    assert_eq!(response.ok()["user"]["name"], "Ada");
    let request = register(&app, "bob@example.com", PASSWORD);
    let response = request.header("accept-language", "de").await;
    let mail = mail_of(&app, &challenge_id(response)).await;
    assert_eq!(mail.header("Content-Language"), "de");
}

/// Returns the values of four header fields, and the body without the challenge id.
fn shape(response: &Response) -> (Vec<Option<String>>, Value) {
    let names = [
        "content-type",
        "content-length",
        "cache-control",
        "set-cookie",
    ];
    let headers = names.map(|name| response.header(name).map(ToOwned::to_owned));
    let mut body: Value = serde_json::from_str(&response.text()).unwrap();
    assert_eq!(body["challenge_id"].as_str().unwrap().len(), 36);
    body["challenge_id"] = Value::Null;
    (headers.to_vec(), body)
}

async fn free_and_taken_addresses_get_the_same_response(engine: Engine) {
    let app = start(engine);
    verified_user(&app, "ada@example.com").await;
    challenge_id(register(&app, "bob@example.com", PASSWORD).await);
    let mut shapes = Vec::new();
    for email in ["new@example.com", "ada@example.com", "bob@example.com"] {
        let response = register(&app, email, "another password").await;
        let response = response.assert_status(202);
        assert_eq!(response.header_values("set-cookie"), [""; 0]);
        shapes.push(shape(&response));
    }
    let expected_body = json!({ "challenge_id": null, "expires_in": 86400 });
    assert_eq!(shapes[0].1, expected_body);
    assert!(shapes.iter().all(|shape| *shape == shapes[0]), "{shapes:?}");
    assert_eq!(count(&app, "users"), 3);
    // Each registration has added one row, and the rows expire at the same time.
    assert_eq!(count(&app, "outbox"), 5);
    assert_eq!(count(&app, "outbox WHERE kind = 'registration_attempt'"), 2);
    let expiries = app
        .database()
        .value("SELECT CAST(COUNT(DISTINCT expires_at) AS TEXT) FROM outbox");
    assert_eq!(expiries.as_deref(), Some("1"));
    // Invalid fields are reported for a taken address too.
    let response = register(&app, "ada@example.com", "short").await;
    response.problem(422, "VALIDATION_ERROR");
}

async fn registering_a_taken_address_in_any_spelling_changes_no_account(engine: Engine) {
    let app = start(engine);
    verified_user(&app, "ada@example.com").await;
    let columns = "SELECT id || email || password_hash || updated_at FROM users";
    let before = app.database().value(columns);
    for email in ["ada@example.com", "ADA@Example.com"] {
        challenge_id(register(&app, email, "another password").await);
    }
    assert_eq!(count(&app, "users"), 1);
    assert_eq!(app.database().value(columns), before);
    let response = app
        .anonymous()
        .post(LOGIN, credentials("ada@example.com", "another password"))
        .await;
    response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
}

async fn an_address_in_an_earlier_spelling_is_taken(engine: Engine) {
    let app = start(engine);
    verified_user(&app, "ada@bücher.example").await;
    app.database()
        .execute("UPDATE users SET email = 'ada@bücher.example'");
    challenge_id(register(&app, "ada@bücher.example", "another password").await);
    assert_eq!(count(&app, "users"), 1);
    until_nothing_waits(&app).await;
    assert_eq!(count(&app, "outbox WHERE kind = 'registration_attempt'"), 1);
}

async fn the_owner_of_a_taken_address_is_told_at_most_once_an_hour(engine: Engine) {
    let app = start(engine);
    verified_user(&app, "ada@example.com").await;
    for expected_count in [1, 2] {
        for _ in 0..3 {
            challenge_id(register(&app, "ada@example.com", "another password").await);
            until_nothing_waits(&app).await;
        }
        let mails = app.mails_to("ada@example.com");
        let notices: Vec<_> = mails
            .iter()
            .filter(|mail| mail.kind() == "registration_attempt")
            .collect();
        assert_eq!(notices.len(), expected_count);
        // The notice has no HTML link, so an attacker cannot make the owner follow one.
        assert!(!notices[0].text.contains("href"), "{:?}", notices[0]);
        app.clock.advance(Duration::from_secs(60 * 60));
    }
    received(&app, "ada@example.com", 3).await;
}

async fn a_challenge_of_a_taken_address_counts_codes_like_any_other(engine: Engine) {
    let app = start(engine);
    verified_user(&app, "ada@example.com").await;
    let free = challenge_id(register(&app, "new@example.com", PASSWORD).await);
    let taken = challenge_id(register(&app, "ada@example.com", PASSWORD).await);
    until_nothing_waits(&app).await;
    for challenge_id in [&free, &taken] {
        for _ in 0..7 {
            let body = json!({ "challenge_id": challenge_id, "code": "WRNGCDE2" });
            let response = app.anonymous().post(CONFIRM, body).await;
            response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
        }
        let row = format!("outbox WHERE id = '{challenge_id}' AND wrong_codes = 5");
        assert_eq!(count(&app, &row), 1);
    }
}

async fn one_of_twenty_parallel_registrations_creates_the_account(engine: Engine) {
    let app = start(engine);
    let registrations = (0..20).map(|number| {
        let password = format!("password number {number}");
        register(&app, "ada@example.com", &password).into_future()
    });
    for response in join_all(registrations).await {
        challenge_id(response);
    }
    assert_eq!(count(&app, "users"), 1);
    assert_eq!(count(&app, "outbox WHERE kind = 'email_verification'"), 1);
    assert_eq!(
        count(&app, "outbox WHERE kind = 'registration_attempt'"),
        19
    );
    until_nothing_waits(&app).await;
    let mails = app.mails_to("ada@example.com");
    let kinds: Vec<_> = mails.iter().map(Mail::kind).collect();
    assert_eq!(kinds.len(), 2, "{kinds:?}");
}

async fn a_registration_ends_no_session_of_the_browser(engine: Engine) {
    let app = start(engine);
    verified_user(&app, "ada@example.com").await;
    let ada = app.anonymous().with_login("ada@example.com", PASSWORD);
    let device: Device = login(&app, &ada).await;
    for email in ["new@example.com", "ada@example.com"] {
        let request = register(&app, email, PASSWORD)
            .header("cookie", &device.cookies())
            .header("origin", SERVER_ORIGIN);
        challenge_id(request.await);
    }
    assert_eq!(are_live(&app, [&device]), [true]);
}

async fn a_registration_of_a_taken_address_counts_towards_the_limit_of_the_network(engine: Engine) {
    for email in ["new@example.com", "ada@example.com"] {
        let app = App::on(engine)
            .behind_proxy()
            .set("email-verification", "required")
            .set("max-registrations-per-network", "1")
            .start();
        challenge_id(register(&app, "ada@example.com", PASSWORD).await);
        let from_network = |request: Request| request.header("x-forwarded-for", "192.0.2.1");
        challenge_id(from_network(register(&app, email, PASSWORD)).await);
        let response = from_network(register(&app, "other@example.com", PASSWORD)).await;
        response.problem(429, "TOO_MANY_REQUESTS");
    }
}

mod takeover {
    use super::*;

    on_both_engines! {
        an_unverified_account_is_taken_over_with_a_reset,
    }

    /// Eve has registered Ada's address. Ada registers as well, is told of the account, and resets its password.
    async fn an_unverified_account_is_taken_over_with_a_reset(engine: Engine) {
        let app = start(engine);
        challenge_id(register(&app, "ada@example.com", "Eve's password").await);
        challenge_id(register(&app, "ada@example.com", PASSWORD).await);
        received(&app, "ada@example.com", 2).await;
        let (mail, _) = password_reset::requested_mail(&app, "ada@example.com").await;
        let grant = password_reset::confirm_token(&app, mail.token()).await.ok();
        assert_eq!(grant["user"]["email_verified"], true);
        for (password, status) in [
            (NEW_PASSWORD, 200),
            ("Eve's password", 401),
            (PASSWORD, 401),
        ] {
            let body = credentials("ada@example.com", password);
            let response = app.anonymous().post(LOGIN, body).await;
            let _expected = response.assert_status(status);
        }
    }
}
