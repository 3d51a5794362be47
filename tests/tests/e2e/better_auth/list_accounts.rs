//! Tests `GET /api/auth/list-accounts`.

use e2e::{App, TestClock, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    only_an_account_with_a_password_is_listed,
}

async fn only_an_account_with_a_password_is_listed(app: App) {
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
