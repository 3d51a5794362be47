//! The list of sessions, and their ends.

use e2e::{App, TestClock, on_both_engines};
use serde_json::{Value, json};

use super::world::*;

on_both_engines! {
    the_list_has_every_live_session_with_its_token,
    one_is_revoked_and_of_anothers_nothing_is_said,
    revoking_ones_own_session_forgets_the_cookie,
    the_others_are_revoked,
    all_are_revoked,
    the_accounts_are_the_one_with_the_password,
}

async fn list(app: &App, browser: &Browser) -> Vec<Value> {
    let list = browser.get(app, LIST_SESSIONS).await.ok();
    list.as_array().unwrap().clone()
}

async fn the_list_has_every_live_session_with_its_token(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let request = app.anonymous().post(SIGN_IN, body);
    let answer = request.header("user-agent", "Phone/1.0").await.is(200);
    let phone = Browser::of(&answer);
    sign_up(&app, "eve").await;
    let sessions = list(&app, &ada).await;
    assert_eq!(sessions.len(), 2);
    let find = |token: &str| sessions.iter().find(|it| it["token"] == token).unwrap();
    let expected = json!({
        "id": find(&phone.token)["id"],
        "token": phone.token,
        "userId": ada.user["id"],
        "expiresAt": "2026-11-27T12:57:51.869Z",
        "createdAt": TestClock::START,
        "updatedAt": TestClock::START,
        "ipAddress": "127.0.0.1",
        "userAgent": "Phone/1.0",
    });
    assert_eq!(*find(&phone.token), expected);
    assert_eq!(find(&ada.token)["userAgent"], "");
    // It goes on after a day, where a Better Auth server would ask to sign in again.
    app.clock.advance(DAY * 2);
    assert_eq!(list(&app, &ada).await.len(), 2);
    app.clock.advance(DAY * 5);
    assert_eq!(list(&app, &ada).await.len(), 1);
}

async fn one_is_revoked_and_of_anothers_nothing_is_said(app: App) {
    let (ada, phone) = (
        sign_up(&app, "ada").await,
        sign_in(&app, "ada@example.com").await,
    );
    let eve = sign_up(&app, "eve").await;
    let revoke = |token: &str| {
        let body = json!({ "token": token });
        ada.post(&app, "/api/auth/revoke-session", body)
    };
    for token in [&*eve.token, "unknown", "", &ada.signed(), &"0".repeat(96)] {
        let answer = revoke(token).await;
        assert!(answer.all("set-cookie").is_empty());
        assert_eq!(answer.ok(), json!({ "status": true }));
    }
    assert!(eve.is_signed_in(&app).await && phone.is_signed_in(&app).await);
    for _ in 0..2 {
        assert_eq!(revoke(&phone.token).await.ok(), json!({ "status": true }));
        assert!(!phone.is_signed_in(&app).await);
    }
    assert!(ada.is_signed_in(&app).await);
}

async fn revoking_ones_own_session_forgets_the_cookie(app: App) {
    let ada = sign_up(&app, "ada").await;
    let body = json!({ "token": ada.token });
    let answer = ada
        .post(&app, "/api/auth/revoke-session", body)
        .await
        .is(200);
    assert_eq!(answer.all("set-cookie"), FORGOTTEN);
    assert!(!ada.is_signed_in(&app).await);
}

async fn the_others_are_revoked(app: App) {
    let (ada, phone) = (
        sign_up(&app, "ada").await,
        sign_in(&app, "ada@example.com").await,
    );
    let eve = sign_up(&app, "eve").await;
    let answer = ada
        .post(&app, "/api/auth/revoke-other-sessions", json!({}))
        .await;
    assert!(answer.all("set-cookie").is_empty());
    assert_eq!(answer.ok(), json!({ "status": true }));
    assert!(!phone.is_signed_in(&app).await);
    assert!(ada.is_signed_in(&app).await && eve.is_signed_in(&app).await);
}

async fn all_are_revoked(app: App) {
    let (ada, phone) = (
        sign_up(&app, "ada").await,
        sign_in(&app, "ada@example.com").await,
    );
    let eve = sign_up(&app, "eve").await;
    let answer = ada.post(&app, "/api/auth/revoke-sessions", json!({})).await;
    assert_eq!(answer.all("set-cookie"), FORGOTTEN);
    assert_eq!(answer.ok(), json!({ "status": true }));
    assert!(!ada.is_signed_in(&app).await && !phone.is_signed_in(&app).await);
    assert!(eve.is_signed_in(&app).await);
}

async fn the_accounts_are_the_one_with_the_password(app: App) {
    let ada = sign_up(&app, "ada").await;
    let accounts = ada.get(&app, "/api/auth/list-accounts").await.ok();
    let expected = json!([{
        "id": accounts[0]["id"],
        "accountId": ada.user["id"],
        "providerId": "credential",
        "userId": ada.user["id"],
        "createdAt": TestClock::START,
        "updatedAt": TestClock::START,
        "scopes": [],
    }]);
    assert_eq!(accounts, expected);
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    let accounts = ada.get(&app, "/api/auth/list-accounts").await.ok();
    assert_eq!(accounts, json!([]));
}
