//! A session token in the `Authorization` header.

use e2e::{App, Request, on_both_engines};
use serde_json::{Value, json};

use super::world::*;

on_both_engines! {
    raw_signed_and_encoded_tokens_are_as_good_as_the_cookie,
    a_token_takes_the_place_of_the_cookie,
    with_two_headers_no_token_and_no_cookie_counts,
    what_is_not_a_token_is_not_there,
    our_own_tokens_are_not_taken_here_nor_these_there,
}

fn with(app: &App, authorization: &str) -> Request {
    let request = app.anonymous().get(GET_SESSION);
    request.header("authorization", authorization)
}

async fn raw_signed_and_encoded_tokens_are_as_good_as_the_cookie(app: App) {
    let ada = sign_up(&app, "ada").await;
    for token in [&ada.token, &ada.signed(), &encode(&ada.signed())] {
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let answer = with(&app, &format!("{scheme} {token}")).await.ok();
            assert_eq!(answer["user"], ada.user, "{scheme} {token}");
        }
        let sessions = app.bearer(token).get(LIST_SESSIONS).await.ok();
        assert_eq!(sessions.as_array().unwrap().len(), 1);
    }
    let update = app.bearer(&ada.token);
    let update = update.post("/api/auth/update-user", json!({ "name": "Ada" }));
    let answer = update.await.is(200);
    assert_eq!(answer.header("set-auth-token"), Some(&*ada.signed()));
    let out = app.bearer(&ada.token).post("/api/auth/sign-out", json!({}));
    let answer = out.await.is(200);
    assert_eq!(answer.header("set-auth-token"), None);
    assert!(!ada.is_signed_in(&app).await);
}

async fn a_token_takes_the_place_of_the_cookie(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let request = with(&app, &format!("Bearer {}", eve.token));
    let answer = request.header("cookie", &ada.cookies).await.ok();
    assert_eq!(answer["user"], eve.user);
    let request = with(&app, "Bearer junk").header("cookie", &ada.cookies);
    assert_eq!(request.await.ok()["user"], ada.user);
}

/// A proxy may have read the other one.
async fn with_two_headers_no_token_and_no_cookie_counts(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let (adas, eves) = (
        format!("Bearer {}", ada.token),
        format!("Bearer {}", eve.token),
    );
    for [first, second] in [
        [&*adas, &*eves],
        [&*adas, &*adas],
        [&*adas, "Bearer junk"],
        ["Bearer junk", &*adas],
        ["Basic x", "Basic x"],
    ] {
        let doubled = |request: Request| {
            let request = request.header("authorization", first);
            request.header("authorization", second)
        };
        let answer = doubled(ada.get(&app, GET_SESSION)).await;
        assert!(answer.all("set-cookie").is_empty());
        assert_eq!(answer.ok(), Value::Null, "{first}, {second}");
        let answer = doubled(app.anonymous().get(GET_SESSION)).await;
        assert_eq!(answer.ok(), Value::Null, "{first}, {second}");
        says(&doubled(ada.get(&app, LIST_SESSIONS)).await, UNAUTHORIZED);
        let out = doubled(ada.post(&app, "/api/auth/sign-out", json!({})));
        assert_eq!(out.await.status(), 200);
        assert!(ada.is_signed_in(&app).await && eve.is_signed_in(&app).await);
    }
}

async fn what_is_not_a_token_is_not_there(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let (signed, others) = (ada.signed(), eve.signed());
    let (token, signature) = signed.rsplit_once('.').unwrap();
    let (_, others) = others.rsplit_once('.').unwrap();
    for bad in [
        format!("Basic {token}"),
        format!("Bearer{token}"),
        format!("Bearer {}", &token[1..]),
        format!("Bearer {}", &token[..95]),
        format!("Bearer {token}0"),
        format!("Bearer {token}.{others}"),
        format!("Bearer {token}.{}", &signature[..43]),
        format!("Bearer {token}."),
        format!("Bearer {signature}"),
        "Bearer ".to_owned(),
        "Bearer".to_owned(),
        "Bearer %".to_owned(),
        "é".to_owned(),
    ] {
        let answer = with(&app, &bad).await;
        assert!(answer.all("set-cookie").is_empty());
        assert_eq!(answer.ok(), Value::Null, "{bad}");
    }
}

async fn our_own_tokens_are_not_taken_here_nor_these_there(app: App) {
    let ada = sign_up(&app, "ada").await;
    let access = ada.get(&app, "/api/auth/token").await.ok()["token"].clone();
    let access = access.as_str().unwrap();
    assert_eq!(
        with(&app, &format!("Bearer {access}")).await.ok(),
        Value::Null
    );
    for path in ["/api/auth/account", "/api/tasks", "/api/auth/session"] {
        app.bearer(access).get(path).await.ok();
        for token in [&ada.token, &ada.signed()] {
            let answer = app.bearer(token).get(path).await;
            answer.refused(401, "INVALID_TOKEN");
        }
    }
}
