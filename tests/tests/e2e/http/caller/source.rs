//! The source of a token: exactly one `Authorization` header.

use e2e::{App, on_both_engines};
use serde_json::json;

use super::{CHALLENGE, SESSION};

on_both_engines! {
    a_token_in_the_query_or_the_body_is_ignored,
    a_token_in_another_header_is_ignored,
    two_authorization_headers_are_rejected,
    the_scheme_may_be_written_in_any_case,
}

async fn a_token_in_the_query_or_the_body_is_ignored(app: App) {
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
        let body = format!("{name}={}", ada.token());
        let body = anonymous
            .post("/api/tasks", body.as_bytes())
            .header("content-type", "application/x-www-form-urlencoded");
        body.await.problem(401, "UNAUTHORIZED");
    }
    assert_eq!(ada.all_tasks().await.as_array().unwrap().len(), 1);
}

async fn a_token_in_another_header_is_ignored(app: App) {
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
    let from_ada = format!("Bearer {}", ada.token());
    let from_eve = format!("Bearer {}", eve.token());
    for (first, second) in [
        (from_ada.as_str(), from_ada.as_str()),
        (&from_ada, &from_eve),
        (&from_ada, "Bearer junk"),
        ("Bearer junk", &from_ada),
        (&from_ada, ""),
        ("Basic YTpi", &from_ada),
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
