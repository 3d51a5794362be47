//! The source of a token: one `Authorization` header, and no other place.

use e2e::{App, on_both_engines};
use serde_json::json;

use super::{CHALLENGE, SESSION};

on_both_engines! {
    a_token_in_the_query_or_the_body_is_no_token,
    a_token_in_another_header_is_no_token,
    two_authorization_headers_are_rejected,
    the_scheme_may_be_written_in_any_case,
}

async fn a_token_in_the_query_or_the_body_is_no_token(app: App) {
    let ada = app.user("ada").await;
    ada.new_task("Buy milk").await;
    let anonymous = app.anonymous();
    for name in [
        "access_token",
        "token",
        "authorization",
        "Authorization",
        "jwt",
        "bearer",
    ] {
        for path in [SESSION, "/api/tasks", &ada.tasks()] {
            let address = format!("{path}?{name}={}", ada.token());
            let refused = anonymous.get(&address).await;
            assert_eq!(refused.header("www-authenticate"), Some(CHALLENGE));
            refused.problem(401, "UNAUTHORIZED");
        }
        let body = json!({ "title": "Buy tea", name: ada.token() });
        let refused = anonymous.post("/api/tasks", body).await;
        refused.problem(401, "UNAUTHORIZED");
        let form = format!("{name}={}", ada.token());
        let form = anonymous
            .post("/api/tasks", form.as_bytes())
            .header("content-type", "application/x-www-form-urlencoded");
        form.await.problem(401, "UNAUTHORIZED");
    }
    assert_eq!(ada.all_tasks().await.as_array().unwrap().len(), 1);
}

async fn a_token_in_another_header_is_no_token(app: App) {
    let ada = app.user("ada").await;
    for name in [
        "x-auth-token",
        "x-access-token",
        "proxy-authorization",
        "x-authorization",
    ] {
        for value in [ada.token().to_owned(), format!("Bearer {}", ada.token())] {
            let refused = app.anonymous().get(SESSION).header(name, &value).await;
            refused.problem(401, "UNAUTHORIZED");
        }
    }
}

async fn two_authorization_headers_are_rejected(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let valid = format!("Bearer {}", ada.token());
    let hers = format!("Bearer {}", eve.token());
    for (first, second) in [
        (valid.as_str(), valid.as_str()),
        (&valid, &hers),
        (&valid, "Bearer junk"),
        ("Bearer junk", &valid),
        (&valid, ""),
        ("Basic YTpi", &valid),
    ] {
        for name in ["authorization", "AUTHORIZATION"] {
            let request = app.anonymous().get(SESSION).header("Authorization", first);
            let refused = request.header(name, second).await;
            let problem = refused.problem(401, "INVALID_TOKEN");
            assert_eq!(problem["detail"], "Send exactly one Authorization header");
        }
    }
}

async fn the_scheme_may_be_written_in_any_case(app: App) {
    let ada = app.user("ada").await;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let value = format!("{scheme} {}", ada.token());
        let request = app.anonymous().get(SESSION);
        request.header("authorization", &value).await.ok();
    }
}
