//! Tests the budgets of a network for failed logins and for registrations, and of a session for wrong passwords.

use std::time::Duration;

use e2e::{App, Client, Engine, Request, Response, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

use crate::auth::login::{LOGIN, credentials};

on_both_engines! {
    failed_logins_with_any_email_address_exhaust_the_budget_of_their_network,
    parallel_wrong_passwords_are_compared_only_up_to_the_budget,
    successful_logins_are_not_counted,
    an_ipv6_48_prefix_has_the_budget_of_four_networks,
    registrations_of_new_and_existing_email_addresses_exhaust_the_budget_of_their_network,
    parallel_registrations_succeed_only_up_to_the_budget,
    a_registration_that_creates_and_reveals_nothing_is_not_counted,
    requests_of_a_loopback_caller_are_not_counted_without_trusted_proxies,
    a_limit_that_is_off_rejects_no_request,
    with_a_stolen_session_a_thief_has_a_hundred_guesses_across_all_networks,
}

const REGISTER: &str = "/api/auth/register";
/// An IPv4 address. The server treats each IPv4 address as one network.
const NETWORK: &str = "203.0.113.7";
const OTHER_NETWORK: &str = "203.0.113.8";

/// Starts a server with these budgets of a network, each a number or `off`.
fn start_app(engine: Engine, max_failed_logins: &str, max_registrations: &str) -> App {
    App::on(engine)
        .behind_proxy()
        .set("max-failed-logins-per-network", max_failed_logins)
        .set("max-registrations-per-network", max_registrations)
        .start()
}

/// Builds a login or a registration from this IP address.
fn request_from(app: &App, ip_address: &str, path: &str, email: &str, password: &str) -> Request {
    let body = credentials(email, password);
    let request = app.anonymous().post(path, body);
    request.header("x-forwarded-for", ip_address)
}

fn wrong_login_request(app: &App, ip_address: &str, user_number: usize) -> Request {
    let email = format!("unknown{user_number}@example.com");
    request_from(app, ip_address, LOGIN, &email, "not the password")
}

fn correct_login_request(app: &App, ip_address: &str, user: &Client) -> Request {
    request_from(app, ip_address, LOGIN, user.email(), user.password())
}

fn registration_request(app: &App, ip_address: &str, user_number: usize) -> Request {
    let email = format!("new{user_number}@example.com");
    request_from(app, ip_address, REGISTER, &email, "correct horse")
}

fn count_with_status(responses: &[Response], status: u16) -> usize {
    let statuses = responses.iter().map(Response::status);
    statuses
        .filter(|response_status| *response_status == status)
        .count()
}

async fn failed_logins_with_any_email_address_exhaust_the_budget_of_their_network(engine: Engine) {
    let app = start_app(engine, "10", "off");
    let ada = app.user("ada").await;
    for number in 0..9 {
        let response = wrong_login_request(&app, NETWORK, number).await;
        response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    correct_login_request(&app, NETWORK, &ada).await.ok();
    let tenth_request = request_from(&app, NETWORK, LOGIN, ada.email(), "not the password");
    tenth_request
        .await
        .problem(401, "INVALID_EMAIL_OR_PASSWORD");

    app.clock.advance(Duration::from_secs(300));
    let response = correct_login_request(&app, NETWORK, &ada).await;
    assert_eq!(response.header("retry-after"), Some("601"));
    let problem = response.problem(429, "TOO_MANY_REQUESTS");
    let detail = "Too many failed attempts from your network; please wait";
    assert_eq!(problem["detail"], detail);
    correct_login_request(&app, OTHER_NETWORK, &ada).await.ok();
    // Existing sessions stay valid.
    ada.get("/api/auth/account").await.ok();

    app.clock.advance(Duration::from_secs(599));
    let response = correct_login_request(&app, NETWORK, &ada).await;
    response.problem(429, "TOO_MANY_REQUESTS");
    app.clock.advance(Duration::from_secs(1));
    correct_login_request(&app, NETWORK, &ada).await.ok();
}

async fn parallel_wrong_passwords_are_compared_only_up_to_the_budget(engine: Engine) {
    let app = start_app(engine, "10", "off");
    let requests = (0..50).map(|number| wrong_login_request(&app, NETWORK, number).into_future());
    let responses = join_all(requests).await;
    assert_eq!(count_with_status(&responses, 401), 10);
    assert_eq!(count_with_status(&responses, 429), 40);
}

async fn successful_logins_are_not_counted(engine: Engine) {
    let app = start_app(engine, "3", "1");
    let ada = app.user("ada").await;
    for _ in 0..10 {
        correct_login_request(&app, NETWORK, &ada).await.ok();
    }
    for number in 0..3 {
        let response = wrong_login_request(&app, NETWORK, number).await;
        response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    let response = wrong_login_request(&app, NETWORK, 3).await;
    response.problem(429, "TOO_MANY_REQUESTS");
}

async fn an_ipv6_48_prefix_has_the_budget_of_four_networks(engine: Engine) {
    let app = start_app(engine, "2", "off");
    for number in 0..8 {
        let ip_address = format!("2001:db8:7:{number}::1");
        let response = wrong_login_request(&app, &ip_address, number).await;
        response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    let response = wrong_login_request(&app, "2001:db8:7:ffff::1", 8).await;
    response.problem(429, "TOO_MANY_REQUESTS");
    let response = wrong_login_request(&app, "2001:db8:8::1", 9).await;
    response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
}

async fn registrations_of_new_and_existing_email_addresses_exhaust_the_budget_of_their_network(
    engine: Engine,
) {
    let app = start_app(engine, "off", "5");
    for number in 0..3 {
        registration_request(&app, NETWORK, number).await.created();
    }
    let response = registration_request(&app, NETWORK, 0).await;
    response.problem(409, "USER_ALREADY_EXISTS");
    registration_request(&app, NETWORK, 4).await.created();

    for number in [0, 5] {
        let response = registration_request(&app, NETWORK, number).await;
        assert_eq!(response.header("retry-after"), Some("3601"));
        let problem = response.problem(429, "TOO_MANY_REQUESTS");
        let detail = "Too many registrations from your network; please wait";
        assert_eq!(problem["detail"], detail);
    }
    registration_request(&app, OTHER_NETWORK, 5).await.created();
    let login_request = request_from(&app, NETWORK, LOGIN, "new0@example.com", "correct horse");
    login_request.await.ok();
    app.clock.advance(Duration::from_secs(3599));
    let response = registration_request(&app, NETWORK, 6).await;
    response.problem(429, "TOO_MANY_REQUESTS");
    app.clock.advance(Duration::from_secs(1));
    registration_request(&app, NETWORK, 6).await.created();
}

async fn parallel_registrations_succeed_only_up_to_the_budget(engine: Engine) {
    let app = start_app(engine, "off", "5");
    let requests = (0..30).map(|number| registration_request(&app, NETWORK, number).into_future());
    let responses = join_all(requests).await;
    assert_eq!(count_with_status(&responses, 201), 5);
    assert_eq!(count_with_status(&responses, 429), 25);
    let user_count = app.database().value("SELECT count(*) FROM users");
    assert_eq!(user_count.as_deref(), Some("5"));
}

async fn a_registration_that_creates_and_reveals_nothing_is_not_counted(engine: Engine) {
    let app = start_app(engine, "off", "1");
    for password in ["", "short", &"x".repeat(129)] {
        let response = request_from(&app, NETWORK, REGISTER, "new@example.com", password).await;
        response.problem(422, "VALIDATION_ERROR");
    }
    registration_request(&app, NETWORK, 1).await.created();
}

async fn requests_of_a_loopback_caller_are_not_counted_without_trusted_proxies(engine: Engine) {
    let app = App::on(engine)
        .set("max-failed-logins-per-network", "1")
        .set("max-registrations-per-network", "1")
        .start();
    let ada = app.user("ada").await;
    registration_request(&app, NETWORK, 1).await.created();
    for _ in 0..101 {
        let response = request_from(&app, NETWORK, LOGIN, ada.email(), "not the password").await;
        response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    correct_login_request(&app, NETWORK, &ada).await.ok();
}

async fn a_limit_that_is_off_rejects_no_request(engine: Engine) {
    let app = start_app(engine, "off", "off");
    for number in 0..301 {
        let response = wrong_login_request(&app, NETWORK, number).await;
        response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
        if number < 2 {
            registration_request(&app, NETWORK, number).await.created();
        }
    }
}

async fn with_a_stolen_session_a_thief_has_a_hundred_guesses_across_all_networks(engine: Engine) {
    let app = start_app(engine, "300", "off");
    let ada = app.user("ada").await;
    let build_guess = |network_number: usize, password: &str| {
        let body = json!({ "current_password": password, "new_password": "another password" });
        let request = ada.post("/api/auth/change-password", body);
        request.header("x-forwarded-for", &format!("198.51.100.{network_number}"))
    };
    for network_number in 0..100 {
        let response = build_guess(network_number, "not the password").await;
        response.problem(403, "INVALID_PASSWORD");
    }
    let response = build_guess(200, ada.password()).await;
    response.problem(429, "TOO_MANY_REQUESTS");
    // The owner can still log in, even from a network that sent guesses.
    correct_login_request(&app, "198.51.100.7", &ada).await.ok();
}
