//! Tests that, cookies aside, an access token is read only from the header `Authorization`, which must not be repeated.

use e2e::{App, on_both_engines};
use serde_json::json;

use super::{CHALLENGE, SESSION};

on_both_engines! {
    a_token_in_the_query_or_the_body_is_ignored,
    a_token_in_another_header_is_ignored,
    two_authorization_headers_are_rejected,
    the_scheme_bearer_may_be_written_in_any_case,
}

async fn a_token_in_the_query_or_the_body_is_ignored(app: App) {
    let ada = app.user("ada").await;
    ada.new_task("Buy milk").await;
    let anonymous_caller = app.anonymous();
    for token_name in [
        "access_token",
        "token",
        "authorization",
        "Authorization",
        "jwt",
        "bearer",
    ] {
        for path in [SESSION, "/api/tasks", &ada.tasks()] {
            let path_with_token = format!("{path}?{token_name}={}", ada.token());
            let rejection = anonymous_caller.get(&path_with_token).await;
            assert_eq!(rejection.header("www-authenticate"), Some(CHALLENGE));
            rejection.problem(401, "UNAUTHORIZED");
        }
        let body = json!({ "title": "Buy tea", token_name: ada.token() });
        let rejection = anonymous_caller.post("/api/tasks", body).await;
        rejection.problem(401, "UNAUTHORIZED");
        let form = format!("{token_name}={}", ada.token());
        let request = anonymous_caller
            .post("/api/tasks", form.as_bytes())
            .header("content-type", "application/x-www-form-urlencoded");
        request.await.problem(401, "UNAUTHORIZED");
    }
    assert_eq!(ada.all_tasks().await.as_array().unwrap().len(), 1);
}

async fn a_token_in_another_header_is_ignored(app: App) {
    let ada = app.user("ada").await;
    for header_name in [
        "x-auth-token",
        "x-access-token",
        "proxy-authorization",
        "x-authorization",
    ] {
        for header_value in [ada.token().to_owned(), format!("Bearer {}", ada.token())] {
            let rejection = app
                .anonymous()
                .get(SESSION)
                .header(header_name, &header_value)
                .await;
            rejection.problem(401, "UNAUTHORIZED");
        }
    }
}

async fn two_authorization_headers_are_rejected(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let ada_bearer = format!("Bearer {}", ada.token());
    let eve_bearer = format!("Bearer {}", eve.token());
    for (first_value, second_value) in [
        (ada_bearer.as_str(), ada_bearer.as_str()),
        (&ada_bearer, &eve_bearer),
        (&ada_bearer, "Bearer junk"),
        ("Bearer junk", &ada_bearer),
        (&ada_bearer, ""),
        ("Basic YTpi", &ada_bearer),
    ] {
        for header_name in ["authorization", "AUTHORIZATION"] {
            let request = app
                .anonymous()
                .get(SESSION)
                .header("Authorization", first_value);
            let rejection = request.header(header_name, second_value).await;
            let problem = rejection.problem(401, "INVALID_TOKEN");
            assert_eq!(problem["detail"], "Send exactly one Authorization header");
        }
    }
}

async fn the_scheme_bearer_may_be_written_in_any_case(app: App) {
    let ada = app.user("ada").await;
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let authorization = format!("{scheme} {}", ada.token());
        let request = app.anonymous().get(SESSION);
        request.header("authorization", &authorization).await.ok();
    }
}
