//! Tests that each event is counted once, and that no other counter changes.

use e2e::{App, Client, Engine, Request, on_both_engines};
use serde_json::json;

use super::{assert_counted_once, options};
use crate::auth::login::{LOGIN, credentials};
use crate::auth::password_reset::PASSWORD_RESET;
use crate::sessions::fixtures::{
    CHANGE_PASSWORD, LOGOUT, SESSION_TTL, encode_refresh_token, login, refresh, refreshed,
    refreshed_times, wait_until,
};

on_both_engines! {
    a_registration_opens_a_session,
    a_login_is_counted_by_its_outcome,
    a_login_before_the_address_is_verified_is_counted,
    a_change_of_the_password_opens_a_session,
    a_refresh_is_counted_by_its_outcome,
    a_reused_refresh_token_is_counted,
    an_attempt_beyond_a_limit_is_counted_by_the_limit,
    a_guess_beyond_the_limit_of_an_account_is_counted,
    a_revocation_is_counted_by_every_process_that_follows_it,
    a_failed_query_is_counted,
    a_database_that_does_not_respond_is_counted,
}

const NETWORK: &str = "203.0.113.7";

fn login_request(app: &App, user: &Client, password: &str) -> Request {
    let body = credentials(user.email(), password);
    let request = app.anonymous().post(LOGIN, body);
    request.header("x-forwarded-for", NETWORK)
}

async fn a_registration_opens_a_session(engine: Engine) {
    let app = options(engine).start();
    let before = app.metrics().await;
    app.user("ada").await;
    assert_counted_once(&before, &app.metrics().await, &["sessions_opened_total"]);
}

async fn a_login_is_counted_by_its_outcome(engine: Engine) {
    let app = options(engine)
        .set("max-failed-logins-per-network", "1")
        .start();
    let ada = app.user("ada").await;
    let start = app.metrics().await;
    login_request(&app, &ada, ada.password()).await.ok();
    let succeeded = app.metrics().await;
    let counters = [
        r#"logins_total{outcome="succeeded"}"#,
        "sessions_opened_total",
    ];
    assert_counted_once(&start, &succeeded, &counters);

    login_request(&app, &ada, "not the password")
        .await
        .problem(401, "INVALID_EMAIL_OR_PASSWORD");
    let refused = app.metrics().await;
    assert_counted_once(
        &succeeded,
        &refused,
        &[r#"logins_total{outcome="refused"}"#],
    );

    login_request(&app, &ada, ada.password())
        .await
        .problem(429, "TOO_MANY_REQUESTS");
    let counters = [
        r#"logins_total{outcome="throttled"}"#,
        r#"throttled_total{kind="network_failed_logins"}"#,
    ];
    assert_counted_once(&refused, &app.metrics().await, &counters);
}

async fn a_login_before_the_address_is_verified_is_counted(engine: Engine) {
    let app = options(engine)
        .set("email-verification", "required")
        .start();
    let body = credentials("ada@example.com", "correct horse battery staple");
    let _created = app
        .anonymous()
        .post("/api/auth/register", body.clone())
        .await;
    crate::mail::until_nothing_waits(&app).await;
    let before = app.metrics().await;
    app.anonymous()
        .post(LOGIN, body)
        .await
        .problem(403, "EMAIL_NOT_VERIFIED");
    let counters = [r#"logins_total{outcome="unverified"}"#];
    assert_counted_once(&before, &app.metrics().await, &counters);
}

async fn a_change_of_the_password_opens_a_session(engine: Engine) {
    let app = options(engine).start();
    let ada = app.user("ada").await;
    let before = app.metrics().await;
    let body =
        json!({ "current_password": ada.password(), "new_password": "another good password" });
    ada.post(CHANGE_PASSWORD, body).await.ok();
    let after = app.metrics().await;
    let series = "sessions_opened_total";
    assert_eq!(after.count(series), before.count(series) + 1);
}

async fn a_refresh_is_counted_by_its_outcome(engine: Engine) {
    let app = options(engine).start();
    let ada = app.user("ada").await;
    let device = login(&app, &ada).await;
    let start = app.metrics().await;
    refreshed(&app, &device).await;
    let granted = app.metrics().await;
    let counter = |outcome: &str| format!(r#"session_refreshes_total{{outcome="{outcome}"}}"#);
    assert_counted_once(&start, &granted, &[&counter("granted")]);

    let newer_token = encode_refresh_token(app.secret(), &device.session, 5);
    refresh(&app, &newer_token)
        .await
        .problem(401, "INVALID_TOKEN");
    let unknown = app.metrics().await;
    assert_counted_once(&granted, &unknown, &[&counter("unknown")]);

    refresh(&app, "not a token")
        .await
        .problem(401, "INVALID_TOKEN");
    assert_counted_once(&unknown, &app.metrics().await, &[]);

    app.clock.advance(SESSION_TTL);
    refresh(&app, &device.refresh)
        .await
        .problem(401, "SESSION_EXPIRED");
    let expired = app.metrics().await;
    let series = counter("expired");
    assert_eq!(expired.count(&series), unknown.count(&series) + 1);
}

async fn a_reused_refresh_token_is_counted(engine: Engine) {
    let app = options(engine).start();
    let ada = app.user("ada").await;
    let device = login(&app, &ada).await;
    refreshed_times(&app, &device, 2).await;
    let before = app.metrics().await;
    refresh(&app, &device.refresh)
        .await
        .problem(401, "REFRESH_TOKEN_REUSED");
    let after = app.metrics().await;
    let series = r#"session_refreshes_total{outcome="reused"}"#;
    assert_eq!(after.count(series), before.count(series) + 1);
    assert_eq!(after.count("revocation_set_size"), 1);
}

async fn an_attempt_beyond_a_limit_is_counted_by_the_limit(engine: Engine) {
    let app = options(engine)
        .set("max-registrations-per-network", "1")
        .set("max-mail-requests-per-network", "1")
        .start();
    let requests = [
        ("/api/auth/register", "network_registrations"),
        (PASSWORD_RESET, "network_mail_requests"),
    ];
    for (path, kind) in requests {
        let send = |email: &str| {
            let body = json!({ "email": email, "password": "correct horse battery staple" });
            app.anonymous()
                .post(path, body)
                .header("x-forwarded-for", NETWORK)
        };
        assert!(send("eve@example.com").await.status() < 300);
        crate::mail::until_nothing_waits(&app).await;
        let before = app.metrics().await;
        send("bob@example.com")
            .await
            .problem(429, "TOO_MANY_REQUESTS");
        let counter = format!(r#"throttled_total{{kind="{kind}"}}"#);
        assert_counted_once(&before, &app.metrics().await, &[&counter]);
    }
}

async fn a_guess_beyond_the_limit_of_an_account_is_counted(engine: Engine) {
    let app = options(engine).start();
    let ada = app.user("ada").await;
    for _ in 0..100 {
        login_request(&app, &ada, "wrong")
            .await
            .problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    let before = app.metrics().await;
    login_request(&app, &ada, ada.password())
        .await
        .problem(429, "TOO_MANY_REQUESTS");
    let counters = [
        r#"logins_total{outcome="throttled"}"#,
        r#"throttled_total{kind="account_guesses"}"#,
    ];
    assert_counted_once(&before, &app.metrics().await, &counters);
}

async fn a_revocation_is_counted_by_every_process_that_follows_it(engine: Engine) {
    let app = options(engine).start();
    let other_app = app.another_process().with_metrics().start();
    let ada = app.user("ada").await;
    let _second_device = login(&app, &ada).await;
    ada.post(LOGOUT, json!({})).await.ok();
    for server in [&app, &other_app] {
        wait_until("the revocation was read", async || {
            server.metrics().await.count("revocations_followed_total") > 0
        })
        .await;
        let metrics = server.metrics().await;
        assert_eq!(metrics.count("revocations_followed_total"), 1);
        assert_eq!(metrics.count("revocation_set_size"), 1);
    }
}

async fn a_failed_query_is_counted(engine: Engine) {
    let app = options(engine).start();
    let ada = app.user("ada").await;
    app.database().execute("DROP TABLE tasks");
    let before = app.metrics().await;
    ada.get("/api/tasks")
        .await
        .problem(500, "INTERNAL_SERVER_ERROR");
    let counters = [r#"database_errors_total{kind="query"}"#];
    assert_counted_once(&before, &app.metrics().await, &counters);
}

async fn a_database_that_does_not_respond_is_counted(engine: Engine) {
    let app = options(engine).start();
    let ada = app.user("ada").await;
    let device = login(&app, &ada).await;
    let before = app.metrics().await;
    let mut transaction = app.database().open_session();
    transaction.execute(match &transaction {
        e2e::DatabaseSession::Sqlite(_) => "BEGIN IMMEDIATE",
        e2e::DatabaseSession::Postgres(_) => "BEGIN; LOCK TABLE sessions",
    });
    let response = refresh(&app, &device.refresh).await;
    response.problem(503, "DATABASE_UNAVAILABLE");
    transaction.execute("ROLLBACK");
    let after = app.metrics().await;
    let series = r#"database_errors_total{kind="unavailable"}"#;
    // A background task may have waited for the same lock.
    assert!(after.count(series) > before.count(series));
}
