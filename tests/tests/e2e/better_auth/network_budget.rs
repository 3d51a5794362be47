//! Tests how many wrong passwords and how many sign-ups the server accepts from one network, and the response after
//! that.

use e2e::{App, Engine, Request, Response, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    all_password_comparisons_share_one_budget,
    sign_ups_have_a_separate_budget,
}

const IP_ADDRESS: &str = "203.0.113.7";

#[track_caller]
fn assert_too_many_requests(response: &Response, retry_after_seconds: &str) {
    let message = "Too many requests. Please try again later.";
    assert_error(response, (429, "", message));
    assert_eq!(response.header("x-retry-after"), Some(retry_after_seconds));
}

fn with_forwarded_for(request: Request) -> Request {
    request.header("x-forwarded-for", IP_ADDRESS)
}

async fn all_password_comparisons_share_one_budget(engine: Engine) {
    let app = App::on(engine)
        .behind_proxy()
        .set("max-failed-logins-per-network", "4")
        .set("better-auth-delete-user", "true")
        .start();
    let ada = sign_up(&app, "ada").await;
    let wrong_body = json!({ "email": "ada@example.com", "password": "wrong password" });
    let right_body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let change_body =
        json!({ "currentPassword": "wrong password", "newPassword": "another password" });
    let wrong_password_requests = [
        app.anonymous().post(SIGN_IN, wrong_body.clone()),
        ada.post(&app, "/api/auth/verify-password", wrong_body.clone()),
        ada.post(&app, CHANGE_PASSWORD, change_body),
        ada.post(&app, "/api/auth/delete-user", wrong_body),
    ];
    for request in &wrong_password_requests {
        let response = with_forwarded_for(request.clone()).await;
        assert!(
            matches!(response.status(), 400 | 401),
            "{}",
            response.text()
        );
    }
    for request in wrong_password_requests {
        assert_too_many_requests(&with_forwarded_for(request).await, "901");
    }
    let sign_in_request = app.anonymous().post(SIGN_IN, right_body);
    assert_too_many_requests(&with_forwarded_for(sign_in_request.clone()).await, "901");
    let response = sign_in_request
        .header("x-forwarded-for", "203.0.113.8")
        .await;
    assert_eq!(response.status(), 200, "{}", response.text());
}

async fn sign_ups_have_a_separate_budget(engine: Engine) {
    let app = App::on(engine)
        .behind_proxy()
        .set("max-registrations-per-network", "2")
        .start();
    let build_sign_up_request =
        |name| with_forwarded_for(app.anonymous().post(SIGN_UP, sign_up_body(name)));
    assert_eq!(build_sign_up_request("ada").await.status(), 200);
    assert_eq!(build_sign_up_request("ada").await.status(), 422);
    assert_too_many_requests(&build_sign_up_request("eve").await, "3601");
    assert_too_many_requests(&build_sign_up_request("ada").await, "3601");
}
