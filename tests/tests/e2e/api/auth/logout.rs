//! `POST /api/auth/logout`

use e2e::{App, on_both_engines};
use serde_json::json;

on_both_engines! {
    anybody_may_log_out,
    logging_out_twice_is_no_error,
}

const LOGOUT: &str = "/api/auth/logout";

async fn anybody_may_log_out(app: App) {
    let ada = app.user("ada").await;
    let success = json!({ "success": true, "revoked": 0 });
    for caller in [app.anonymous(), ada, app.bearer("junk")] {
        let answer = caller.request("POST", LOGOUT).await.ok();
        assert_eq!(answer, success);
    }
}

async fn logging_out_twice_is_no_error(app: App) {
    let ada = app.user("ada").await;
    let once = ada.post(LOGOUT, json!({})).await.ok();
    let twice = ada.post(LOGOUT, json!({})).await.ok();
    assert_eq!(once["success"], true);
    assert_eq!(once, twice);
}
