//! Tests `POST /api/auth/sign-out`.

use e2e::{App, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    sign_out_always_succeeds,
    signing_out_with_two_cookies_revokes_both_sessions,
    invalid_cookies_do_not_hide_a_valid_cookie_and_at_most_eight_sessions_are_revoked,
}

async fn sign_out_always_succeeds(app: App) {
    let ada = sign_up(&app, "ada").await;
    for _ in 0..2 {
        let response = ada.post(&app, "/api/auth/sign-out", json!({})).await;
        assert_eq!(response.header_values("set-cookie"), CLEARED_COOKIES);
        assert_eq!(response.ok(), json!({ "success": true }));
        assert!(!ada.is_signed_in(&app).await);
    }
    let build_anonymous_request = || app.anonymous().post("/api/auth/sign-out", &b""[..]);
    let response = build_anonymous_request().await;
    assert_eq!(response.header_values("set-cookie"), CLEARED_COOKIES);
    assert_eq!(response.ok(), json!({ "success": true }));
    // With a form that a page of another site submits, a browser sends no cookies (`SameSite=Lax`). If the response
    // cleared the cookies, the other site could sign the user out.
    let response = build_anonymous_request()
        .header("origin", "https://evil.example")
        .await;
    assert!(response.header_values("set-cookie").is_empty());
    assert_eq!(response.ok(), json!({ "success": true }));
}

/// The response cannot clear a cookie that another host of the domain has set, so the session of that cookie must be
/// revoked too.
async fn signing_out_with_two_cookies_revokes_both_sessions(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let phone = sign_in(&app, "ada@example.com").await;
    let forged_cookie = format!("{SESSION_COOKIE}={}.forged", phone.token);
    let browser = Browser {
        cookies: format!("{}; {}; {forged_cookie}", eve.cookies, ada.cookies),
        ..ada.clone()
    };
    let response = browser.post(&app, "/api/auth/sign-out", json!({})).await;
    assert_eq!(
        response.assert_status(200).header_values("set-cookie"),
        CLEARED_COOKIES
    );
    assert!(!ada.is_signed_in(&app).await && !eve.is_signed_in(&app).await);
    assert!(phone.is_signed_in(&app).await);
}

async fn invalid_cookies_do_not_hide_a_valid_cookie_and_at_most_eight_sessions_are_revoked(
    app: App,
) {
    let ada = sign_up(&app, "ada").await;
    let sign_out = async |cookies: String| {
        let browser = Browser {
            cookies,
            ..ada.clone()
        };
        let response = browser.post(&app, "/api/auth/sign-out", json!({})).await;
        assert_eq!(response.status(), 200);
    };
    for invalid_count in [7, 8, 9, 40] {
        let browser = sign_in(&app, "ada@example.com").await;
        let invalid_cookies = format!("{SESSION_COOKIE}=x; ").repeat(invalid_count);
        sign_out(format!("{invalid_cookies}{}", browser.cookies)).await;
        assert!(!browser.is_signed_in(&app).await, "{invalid_count}");
    }
    for (browser_count, expected_signed_in_count) in [(7, 0), (8, 0), (9, 1)] {
        let mut browsers = Vec::new();
        for _ in 0..browser_count {
            browsers.push(sign_in(&app, "ada@example.com").await);
        }
        let cookies: Vec<&str> = browsers.iter().map(|browser| &*browser.cookies).collect();
        sign_out(cookies.join("; ")).await;
        let mut signed_in_count = 0;
        for browser in &browsers {
            signed_in_count += usize::from(browser.is_signed_in(&app).await);
        }
        assert_eq!(signed_in_count, expected_signed_in_count, "{browser_count}");
    }
    assert!(ada.is_signed_in(&app).await);
}
