//! `POST /api/auth/logout`

use e2e::{App, on_both_engines};
use serde_json::json;

on_both_engines! {
    anybody_may_log_out,
    logging_out_twice_is_no_error,
}

const LOGOUT: &str = "/api/auth/logout";

async fn anybody_may_log_out(app: App) {
    for caller in [app.anonymous(), app.bearer("junk")] {
        let answer = caller.request("POST", LOGOUT).await.ok();
        assert_eq!(answer, json!({ "success": true, "revoked": 0 }));
    }
}

async fn logging_out_twice_is_no_error(app: App) {
    let ada = app.user("ada").await;
    for revoked in [1, 0] {
        let answer = ada.post(LOGOUT, json!({})).await.ok();
        assert_eq!(answer, json!({ "success": true, "revoked": revoked }));
    }
}
