//! Tests which session cookies are accepted, ignored or cleared.

use auth_core::Secret;
use e2e::{App, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;

on_both_engines! {
    a_valid_cookie_is_accepted_encoded_or_unencoded_and_among_other_cookies,
    forged_truncated_and_swapped_cookies_are_ignored,
    two_session_cookies_are_ambiguous_and_sign_no_user_in,
    one_signed_dont_remember_flag_prevents_an_extension,
    a_signed_cookie_without_a_session_token_is_cleared,
    the_cache_cookie_of_another_server_is_cleared,
}

/// Returns the name of the user in the response of `get-session` to a request with these cookies; null without a user.
async fn session_user_name(app: &App, cookies: &str) -> Value {
    let request = app.anonymous().get(GET_SESSION);
    request.header("cookie", cookies).await.ok()["user"]["name"].clone()
}

async fn a_valid_cookie_is_accepted_encoded_or_unencoded_and_among_other_cookies(app: App) {
    let ada = sign_up(&app, "ada").await;
    let signed_token = ada.signed_token();
    for cookies in [
        ada.cookies.clone(),
        format!("{SESSION_COOKIE}={signed_token}"),
        format!("a=1; {SESSION_COOKIE}={signed_token}; b=%zz"),
        format!(
            "{SESSION_COOKIE}={}",
            percent_encode(&signed_token).replace("%3D", "%3d")
        ),
        format!("x{SESSION_COOKIE}=no;{SESSION_COOKIE}={signed_token}"),
    ] {
        assert_eq!(session_user_name(&app, &cookies).await, "ada", "{cookies}");
    }
}

async fn forged_truncated_and_swapped_cookies_are_ignored(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let (ada_signed_token, eve_signed_token) = (ada.signed_token(), eve.signed_token());
    let (ada_token, ada_signature) = ada_signed_token.rsplit_once('.').unwrap();
    let (eve_token, eve_signature) = eve_signed_token.rsplit_once('.').unwrap();
    let generated_secret = Secret::generate().unwrap();
    let unknown_secret = String::from_utf8(generated_secret.expose().to_vec()).unwrap();
    let mut invalid_cookie_values = vec![
        format!("{ada_token}.{eve_signature}"),
        format!("{eve_token}.{ada_signature}"),
        format!("{ada_token}."),
        format!(".{ada_signature}"),
        ada_token.to_owned(),
        ada_signature.to_owned(),
        String::new(),
        ".".to_owned(),
        format!("{ada_signed_token}."),
        format!("{ada_signed_token}x"),
        format!("{ada_token}.{}", ada_signature.trim_end_matches('=')),
        format!("{ada_token}.{}", ada_signature.replace('=', "%3D%3D")),
        ada_signed_token.to_uppercase(),
        session_tokens(&unknown_secret).sign_cookie([7; 16]),
        session_tokens(&unknown_secret).sign_flag(),
    ];
    for length in [1, 2, 10, 44, 45, 46, 100] {
        invalid_cookie_values.push(ada_signed_token[..ada_signed_token.len() - length].to_owned());
        invalid_cookie_values.push(ada_signed_token[length..].to_owned());
    }
    for cookie_value in invalid_cookie_values {
        let cookies = format!("{SESSION_COOKIE}={cookie_value}");
        let request = app.anonymous().get(GET_SESSION);
        let response = request.header("cookie", &cookies).await;
        assert!(
            response.header_values("set-cookie").is_empty(),
            "{cookie_value}"
        );
        assert_eq!(response.ok(), Value::Null, "{cookie_value}");
        let list_request = app.anonymous().get(LIST_SESSIONS);
        assert_error(&list_request.header("cookie", &cookies).await, UNAUTHORIZED);
    }
    assert_eq!(session_user_name(&app, &ada.cookies).await, "ada");
}

/// Another host of the same domain can set a second cookie of the same name. The server cannot know which cookie it has
/// set itself.
async fn two_session_cookies_are_ambiguous_and_sign_no_user_in(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, sign_up(&app, "eve").await);
    let mut doubled_cookie_headers = vec![format!("{0}; {0}", ada.cookies)];
    for planted_cookie in [
        eve.cookies.clone(),
        format!("{SESSION_COOKIE}=forged"),
        format!("{SESSION_COOKIE}="),
    ] {
        doubled_cookie_headers.push(format!("{planted_cookie}; {}", ada.cookies));
        doubled_cookie_headers.push(format!("{}; a=b; {planted_cookie}", ada.cookies));
    }
    for cookie_header in &doubled_cookie_headers {
        let browser = Browser {
            cookies: cookie_header.clone(),
            ..ada.clone()
        };
        let response = browser.get(&app, GET_SESSION).await;
        // If the response cleared the valid cookie, the browser would send only the planted cookie.
        assert!(response.header_values("set-cookie").is_empty());
        assert_eq!(response.ok(), Value::Null, "{cookie_header}");
        for path in [LIST_SESSIONS, "/api/auth/token"] {
            let response = browser.get(&app, path).await;
            assert!(response.header_values("set-cookie").is_empty());
            assert_error(&response, UNAUTHORIZED);
        }
        let response = browser.get(&app, "/api/auth/session").await;
        response.problem(401, "UNAUTHORIZED");
        let body = json!({ "currentPassword": PASSWORD, "newPassword": "another password" });
        assert_error(
            &browser.post(&app, CHANGE_PASSWORD, body).await,
            UNAUTHORIZED,
        );
    }
    let request = app.anonymous().get(GET_SESSION);
    let request = request.header("cookie", &eve.cookies);
    let request = request.header("cookie", &ada.cookies);
    assert_eq!(request.await.ok(), Value::Null);
    // A token in the header is used instead of any cookie.
    let request = app.bearer(ada.token.as_str()).get(GET_SESSION);
    let body = request
        .header("cookie", &doubled_cookie_headers[1])
        .await
        .ok();
    assert_eq!(body["user"], ada.user);
    assert!(ada.is_signed_in(&app).await && eve.is_signed_in(&app).await);
}

async fn one_signed_dont_remember_flag_prevents_an_extension(app: App) {
    let ada = sign_up(&app, "ada").await;
    let encoded_flag = percent_encode(&session_tokens(app.secret()).sign_flag());
    app.clock.advance(DAY);
    for (flag_cookies, is_extended) in [
        (format!("better-auth.dont_remember={encoded_flag}"), false),
        (
            format!("better-auth.dont_remember=x; better-auth.dont_remember={encoded_flag}"),
            false,
        ),
        (
            format!(
                "{}better-auth.dont_remember={encoded_flag}",
                "better-auth.dont_remember=x; ".repeat(8)
            ),
            false,
        ),
        ("better-auth.dont_remember=x".to_owned(), true),
    ] {
        let cookies = format!("{flag_cookies}; {}", ada.cookies);
        let request = app.anonymous().get(GET_SESSION).header("cookie", &cookies);
        assert_eq!(
            !request.await.header_values("set-cookie").is_empty(),
            is_extended
        );
    }
}

async fn a_signed_cookie_without_a_session_token_is_cleared(app: App) {
    // The signature of this cookie value is valid, but the value is not a session token.
    let signed_flag = session_tokens(app.secret()).sign_flag();
    let cookies = format!("{SESSION_COOKIE}={}", percent_encode(&signed_flag));
    let request = app.anonymous().get(GET_SESSION);
    let response = request.header("cookie", &cookies).await;
    assert_eq!(response.header_values("set-cookie"), CLEARED_COOKIES);
    assert_eq!(response.ok(), Value::Null);
}

async fn the_cache_cookie_of_another_server_is_cleared(app: App) {
    let mut ada = sign_up(&app, "ada").await;
    ada.cookies.push_str("; better-auth.session_data=e30");
    let response = ada.get(&app, GET_SESSION).await;
    assert_eq!(response.header_values("set-cookie"), [CLEARED_COOKIES[1]]);
    assert_eq!(response.ok()["user"], ada.user);
    let response = ada.post(&app, "/api/auth/sign-out", json!({})).await;
    let [cleared_token, cleared_data, cleared_flag] = CLEARED_COOKIES;
    assert_eq!(
        response.assert_status(200).header_values("set-cookie"),
        [cleared_token, cleared_data, cleared_data, cleared_flag]
    );
}
