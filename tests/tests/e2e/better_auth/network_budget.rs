//! The budgets of one network, with the responses of Better Auth.

use e2e::{App, Engine, Request, Response, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    every_comparison_of_a_password_shares_one_budget,
    sign_ups_have_a_budget,
}

const NETWORK: &str = "203.0.113.7";

#[track_caller]
fn assert_too_many(response: &Response, retry_after: &str) {
    let message = "Too many requests. Please try again later.";
    assert_error(response, (429, "", message));
    assert_eq!(response.header("x-retry-after"), Some(retry_after));
}

fn from_network(request: Request) -> Request {
    request.header("x-forwarded-for", NETWORK)
}

async fn every_comparison_of_a_password_shares_one_budget(engine: Engine) {
    let app = App::on(engine)
        .behind_proxy()
        .set("max-failed-logins-per-network", "4")
        .set("better-auth-delete-user", "true")
        .start();
    let ada = sign_up(&app, "ada").await;
    let wrong = json!({ "email": "ada@example.com", "password": "wrong password" });
    let right = json!({ "email": "ada@example.com", "password": PASSWORD });
    let change = json!({ "currentPassword": "wrong password", "newPassword": "another password" });
    let attempts = [
        app.anonymous().post(SIGN_IN, wrong.clone()),
        ada.post(&app, "/api/auth/verify-password", wrong.clone()),
        ada.post(&app, CHANGE_PASSWORD, change),
        ada.post(&app, "/api/auth/delete-user", wrong),
    ];
    for attempt in &attempts {
        let response = from_network(attempt.clone()).await;
        assert!(
            matches!(response.status(), 400 | 401),
            "{}",
            response.text()
        );
    }
    for attempt in attempts {
        assert_too_many(&from_network(attempt).await, "901");
    }
    let sign_in = app.anonymous().post(SIGN_IN, right);
    assert_too_many(&from_network(sign_in.clone()).await, "901");
    let response = sign_in.header("x-forwarded-for", "203.0.113.8").await;
    assert_eq!(response.status(), 200, "{}", response.text());
}

async fn sign_ups_have_a_budget(engine: Engine) {
    let app = App::on(engine)
        .behind_proxy()
        .set("max-registrations-per-network", "2")
        .start();
    let sign_up = |name| from_network(app.anonymous().post(SIGN_UP, sign_up_body(name)));
    assert_eq!(sign_up("ada").await.status(), 200);
    assert_eq!(sign_up("ada").await.status(), 422);
    assert_too_many(&sign_up("eve").await, "3601");
    assert_too_many(&sign_up("ada").await, "3601");
}
