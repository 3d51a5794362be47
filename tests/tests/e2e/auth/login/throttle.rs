//! Tests `POST /api/auth/login` after too many wrong passwords.

use std::time::Duration;

use e2e::{App, Client, Connection, Engine, on_both_engines};

use super::{LOGIN, credentials};

on_both_engines! {
    after_a_hundred_failed_logins_the_right_password_is_rejected_too,
    failed_logins_do_not_affect_another_email_address_or_another_network,
    a_successful_login_resets_the_count_of_failed_logins,
    forwarding_headers_other_than_x_forwarded_for_are_ignored,
}

/// Sends this many logins with a wrong password.
async fn fail_logins(app: &App, user: &Client, count: usize) {
    let body = credentials(user.email(), "not the password");
    for _ in 0..count {
        let response = app.anonymous().post(LOGIN, body.clone()).await;
        response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
}

async fn after_a_hundred_failed_logins_the_right_password_is_rejected_too(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    let ada = app.user("ada").await;
    fail_logins(&app, &ada, 100).await;
    app.clock.advance(Duration::from_secs(60));
    let request = app
        .anonymous()
        .post(LOGIN, credentials(ada.email(), ada.password()));
    let response = request.clone().await;
    let wait_seconds: u64 = response.header("retry-after").unwrap().parse().unwrap();
    response.problem(429, "TOO_MANY_REQUESTS");
    // Existing sessions stay valid.
    ada.get("/api/auth/account").await.ok();

    app.clock.advance(Duration::from_secs(wait_seconds - 2));
    request.clone().await.problem(429, "TOO_MANY_REQUESTS");
    app.clock.advance(Duration::from_secs(2));
    request.await.ok();
    fail_logins(&app, &ada, 100).await;
}

async fn failed_logins_do_not_affect_another_email_address_or_another_network(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    fail_logins(&app, &ada, 100).await;
    let ada_body = credentials(ada.email(), ada.password());
    let upper_case_body = credentials(&ada.email().to_uppercase(), ada.password());
    for body in [&ada_body, &upper_case_body] {
        let response = app.anonymous().post(LOGIN, body.clone()).await;
        response.problem(429, "TOO_MANY_REQUESTS");
    }
    let eve_body = credentials(eve.email(), eve.password());
    app.anonymous().post(LOGIN, eve_body).await.ok();

    // On Linux, a client can connect from any IP address of 127.0.0.0/8 without configuration.
    if cfg!(target_os = "linux") {
        let mut connection = Connection::open_from("127.0.0.2", app.addr()).await;
        let body = ada_body.to_string();
        let request = format!(
            "POST {LOGIN} HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.send(request.as_bytes()).await;
        connection.response().await.unwrap().ok();
    }
}

async fn a_successful_login_resets_the_count_of_failed_logins(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    let ada = app.user("ada").await;
    for _ in 0..2 {
        fail_logins(&app, &ada, 99).await;
        let body = credentials(ada.email(), ada.password());
        app.anonymous().post(LOGIN, body).await.ok();
    }
}

async fn forwarding_headers_other_than_x_forwarded_for_are_ignored(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    let ada = app.user("ada").await;
    fail_logins(&app, &ada, 100).await;
    let body = credentials(ada.email(), ada.password());
    for header_name in ["forwarded", "x-real-ip", "true-client-ip"] {
        let request = app.anonymous().post(LOGIN, body.clone());
        let response = request.header(header_name, "203.0.113.7").await;
        response.problem(429, "TOO_MANY_REQUESTS");
    }
}
