//! `POST /api/auth/login` after too many wrong passwords.

use std::time::Duration;

use e2e::{App, Client, Connection, Engine, on_both_engines};

use super::{LOGIN, credentials};

on_both_engines! {
    after_a_hundred_failures_the_right_password_is_rejected_too,
    another_address_and_another_network_are_not_affected,
    a_success_resets_the_count,
    no_other_header_changes_the_network_of_the_caller,
}

/// Logs in with a wrong password, this many times.
async fn fail_logins(app: &App, ada: &Client, times: usize) {
    let wrong = credentials(ada.email(), "not the password");
    for _ in 0..times {
        let refused = app.anonymous().post(LOGIN, wrong.clone()).await;
        refused.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
}

async fn after_a_hundred_failures_the_right_password_is_rejected_too(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    let ada = app.user("ada").await;
    fail_logins(&app, &ada, 100).await;
    app.clock.advance(Duration::from_secs(60));
    let login = app
        .anonymous()
        .post(LOGIN, credentials(ada.email(), ada.password()));
    let refused = login.clone().await;
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    refused.problem(429, "TOO_MANY_REQUESTS");
    // Existing sessions stay valid.
    ada.get("/api/auth/account").await.ok();

    app.clock.advance(Duration::from_secs(wait - 2));
    login.clone().await.problem(429, "TOO_MANY_REQUESTS");
    app.clock.advance(Duration::from_secs(2));
    login.await.ok();
    fail_logins(&app, &ada, 100).await;
}

async fn another_address_and_another_network_are_not_affected(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    fail_logins(&app, &ada, 100).await;
    let body = credentials(ada.email(), ada.password());
    let upper_case = credentials(&ada.email().to_uppercase(), ada.password());
    for body in [&body, &upper_case] {
        let refused = app.anonymous().post(LOGIN, body.clone()).await;
        refused.problem(429, "TOO_MANY_REQUESTS");
    }
    let other_user = credentials(eve.email(), eve.password());
    app.anonymous().post(LOGIN, other_user).await.ok();

    // Only Linux has every address of 127.0.0.0/8 as a source address without configuration.
    if cfg!(target_os = "linux") {
        let mut connection = Connection::open_from("127.0.0.2", app.addr()).await;
        let body = body.to_string();
        let request = format!(
            "POST {LOGIN} HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        connection.send(request.as_bytes()).await;
        connection.response().await.unwrap().ok();
    }
}

async fn a_success_resets_the_count(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    let ada = app.user("ada").await;
    for _ in 0..2 {
        fail_logins(&app, &ada, 99).await;
        let body = credentials(ada.email(), ada.password());
        app.anonymous().post(LOGIN, body).await.ok();
    }
}

async fn no_other_header_changes_the_network_of_the_caller(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    let ada = app.user("ada").await;
    fail_logins(&app, &ada, 100).await;
    let body = credentials(ada.email(), ada.password());
    for name in ["forwarded", "x-real-ip", "true-client-ip"] {
        let refused = app.anonymous().post(LOGIN, body.clone());
        let refused = refused.header(name, "203.0.113.7").await;
        refused.problem(429, "TOO_MANY_REQUESTS");
    }
}
