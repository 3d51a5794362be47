//! `POST /api/auth/logout`: every kind of credential with every scope, twice, and what cannot log anybody out.

use std::time::Duration;

use e2e::{App, Request, Response, on_both_engines};
use serde_json::{Value, json};

use super::world::{
    Device, LOGOUT, OWN_ORIGIN, SESSION, live, login, refresh, refreshed, user_with_device, who,
};
use crate::routes::protected;

on_both_engines! {
    an_access_token_ends_what_the_scope_says,
    an_expired_access_token_ends_its_own_session_at_most,
    a_refresh_token_ends_what_the_scope_says,
    cookies_end_what_the_scope_says,
    either_cookie_alone_is_enough,
    cookies_that_name_different_sessions_end_both,
    doubled_cookies_end_every_session_that_they_name,
    doubled_cookies_reach_no_other_session,
    junk_does_not_hide_a_doubled_cookie_and_eight_sessions_are_the_most,
    an_old_refresh_token_still_logs_out,
    the_header_counts_more_than_the_body_and_the_body_more_than_the_cookies,
    a_body_that_is_not_acceptable_ends_nothing,
    cookies_from_somewhere_else_end_nothing,
    a_token_of_an_ended_session_is_refused_by_every_route_at_once,
}

/// A request with a credential of this device and this body.
type Credential = fn(&App, &Device, Value) -> Request;

pub(super) fn by_access(app: &App, device: &Device, body: Value) -> Request {
    app.bearer(device.access.as_str()).post(LOGOUT, body)
}

pub(super) fn by_body(app: &App, device: &Device, mut body: Value) -> Request {
    body["refresh_token"] = json!(device.refresh);
    app.anonymous().post(LOGOUT, body)
}

pub(super) fn by_cookies(app: &App, device: &Device, body: Value) -> Request {
    with_cookie(app, &device.cookies(), body)
}

fn with_cookie(app: &App, cookie: &str, body: Value) -> Request {
    let request = app.anonymous().post(LOGOUT, body);
    request
        .header("cookie", cookie)
        .header("origin", OWN_ORIGIN)
}

/// The response says how many, and keeps the cookies of the caller.
#[track_caller]
pub(super) fn others_logged_out(answer: Response, revoked: usize) {
    assert!(answer.all("set-cookie").is_empty(), "{answer:?}");
    let said = answer.ok();
    assert_eq!(said, json!({ "success": true, "revoked": revoked }));
}

/// The answer says how many, and clears the cookies.
#[track_caller]
pub(super) fn logged_out(answer: Response, revoked: usize) {
    let cleared = [
        "access_token=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
        "refresh_token=; Path=/api/auth; Max-Age=0; HttpOnly; SameSite=Lax",
    ];
    assert_eq!(answer.all("set-cookie"), cleared, "{answer:?}");
    let said = answer.ok();
    assert_eq!(said, json!({ "success": true, "revoked": revoked }));
}

type Scopes = [(&'static str, usize, [bool; 3]); 4];

/// What a scope ends, of three devices of which the first logs out.
const SCOPES: Scopes = [
    ("{}", 1, [false, true, true]),
    (r#"{"scope":"current"}"#, 1, [false, true, true]),
    (r#"{"scope":"others"}"#, 2, [true, false, false]),
    (r#"{"scope":"all"}"#, 3, [false, false, false]),
];

/// The same with a credential that is not good any more: its own session at most.
const STALE: Scopes = [
    ("{}", 1, [false, true, true]),
    (r#"{"scope":"current"}"#, 1, [false, true, true]),
    (r#"{"scope":"others"}"#, 0, [true, true, true]),
    (r#"{"scope":"all"}"#, 1, [false, true, true]),
];

async fn each_scope(app: App, credential: Credential, wait: Duration, scopes: Scopes) {
    let (_, eves) = user_with_device(&app, "eve").await;
    for (scope, revoked, left) in scopes {
        let (ada, first) = user_with_device(&app, &format!("ada{}", scope.len())).await;
        let devices = [first, login(&app, &ada).await, login(&app, &ada).await];
        app.clock.advance(wait);
        let body: Value = serde_json::from_str(scope).unwrap();
        for revoked in [revoked, 0] {
            let answer = credential(&app, &devices[0], body.clone()).await;
            if body["scope"] == "others" {
                others_logged_out(answer, revoked);
            } else {
                logged_out(answer, revoked);
            }
            assert_eq!(live(&app, &devices), left, "{scope}");
        }
        for (device, lives) in devices.iter().zip(left) {
            let answer = refresh(&app, &device.refresh).await;
            if lives {
                let next = Device::keeps(&answer.ok());
                who(&app, &next.access).await.ok();
            } else {
                answer.refused(401, "SESSION_EXPIRED");
            }
            if !lives && wait.is_zero() {
                who(&app, &device.access)
                    .await
                    .refused(401, "TOKEN_REVOKED");
            }
        }
    }
    refreshed(&app, &eves).await;
}

async fn an_access_token_ends_what_the_scope_says(app: App) {
    each_scope(app, by_access, Duration::ZERO, SCOPES).await;
}

async fn an_expired_access_token_ends_its_own_session_at_most(app: App) {
    each_scope(app, by_access, Duration::from_secs(24 * 60 * 60), STALE).await;
}

async fn a_refresh_token_ends_what_the_scope_says(app: App) {
    each_scope(app, by_body, Duration::ZERO, SCOPES).await;
}

async fn cookies_end_what_the_scope_says(app: App) {
    each_scope(app, by_cookies, Duration::ZERO, SCOPES).await;
}

async fn either_cookie_alone_is_enough(app: App) {
    let (ada, first) = user_with_device(&app, "ada").await;
    let access = format!("access_token={}", first.access);
    let second = login(&app, &ada).await;
    let refresh = format!("refresh_token={}", second.refresh);
    // A day later the access token in the cookie has expired, and still says whose session it was.
    app.clock.advance(Duration::from_secs(24 * 60 * 60));
    for cookie in [access, refresh] {
        for revoked in [1, 0] {
            logged_out(with_cookie(&app, &cookie, json!({})).await, revoked);
        }
    }
    assert_eq!(live(&app, [&first, &second]), [false, false]);
}

async fn cookies_that_name_different_sessions_end_both(app: App) {
    let (ada, first) = user_with_device(&app, "ada").await;
    let (_, eves) = user_with_device(&app, "eve").await;
    let phone = login(&app, &ada).await;
    let mixed = Device {
        refresh: eves.refresh.clone(),
        ..first.clone()
    };
    for revoked in [2, 0] {
        logged_out(by_cookies(&app, &mixed, json!({})).await, revoked);
    }
    assert_eq!(live(&app, [&first, &eves, &phone]), [false, false, true]);
    let refused = refresh(&app, &eves.refresh).await;
    refused.refused(401, "SESSION_EXPIRED");
    who(&app, &first.access).await.refused(401, "TOKEN_REVOKED");
}

/// Over plain http another host of the site can set a cookie of the name beside ours.
async fn doubled_cookies_end_every_session_that_they_name(app: App) {
    let (ada, phone) = user_with_device(&app, "ada").await;
    let (_, eves) = user_with_device(&app, "eve").await;
    let (first, second) = (login(&app, &ada).await, login(&app, &ada).await);
    let foreign = app.anonymous().post(LOGOUT, json!({}));
    let both = format!("{}; {}", eves.cookies(), first.cookies());
    let foreign = foreign.header("cookie", &both);
    let foreign = foreign.header("origin", "https://evil.example");
    assert_eq!(foreign.await.status(), 403);
    assert_eq!(live(&app, [&first, &eves]), [true, true]);
    logged_out(with_cookie(&app, &both, json!({})).await, 2);
    assert_eq!(live(&app, [&first, &eves, &phone]), [false, false, true]);
    let twice = format!("{0}; {0}", second.cookies());
    let current = json!({ "scope": "current" });
    logged_out(with_cookie(&app, &twice, current).await, 1);
    assert_eq!(live(&app, [&second, &phone]), [false, true]);
}

async fn doubled_cookies_reach_no_other_session(app: App) {
    let (ada, here) = user_with_device(&app, "ada").await;
    let (_, eves) = user_with_device(&app, "eve").await;
    let phone = login(&app, &ada).await;
    for cookies in [
        format!("{0}; {0}", here.cookies()),
        format!("{}; {}", here.cookies(), eves.cookies()),
    ] {
        let others = with_cookie(&app, &cookies, json!({ "scope": "others" }));
        others_logged_out(others.await, 0);
        let all = with_cookie(&app, &cookies, json!({ "scope": "all" }));
        logged_out(all.await, 0);
        assert_eq!(live(&app, [&here, &eves, &phone]), [true; 3]);
    }
}

async fn junk_does_not_hide_a_doubled_cookie_and_eight_sessions_are_the_most(app: App) {
    let (ada, first) = user_with_device(&app, "ada").await;
    for name in ["access_token", "refresh_token"] {
        let junk = format!("{name}=x; {name}=; ").repeat(20);
        let device = login(&app, &ada).await;
        let cookies = format!("{junk}{}; {junk}", device.cookies());
        logged_out(with_cookie(&app, &cookies, json!({})).await, 1);
        assert_eq!(live(&app, [&device, &first]), [false, true]);
    }
    for (count, ended) in [(7, 7), (8, 8), (9, 8)] {
        let mut cookies = Vec::new();
        for _ in 0..count {
            cookies.push(login(&app, &ada).await.cookies());
        }
        let request = with_cookie(&app, &cookies.join("; "), json!({}));
        logged_out(request.await, ended);
    }
}

async fn an_old_refresh_token_still_logs_out(app: App) {
    let (ada, first) = user_with_device(&app, "ada").await;
    let other = login(&app, &ada).await;
    let mut newest = first.clone();
    for _ in 0..3 {
        newest = refreshed(&app, &newest).await;
    }
    logged_out(by_body(&app, &first, json!({})).await, 1);
    assert_eq!(live(&app, [&first, &other]), [false, true]);
    who(&app, &newest.access)
        .await
        .refused(401, "TOKEN_REVOKED");
}

async fn the_header_counts_more_than_the_body_and_the_body_more_than_the_cookies(app: App) {
    let (ada, header) = user_with_device(&app, "ada").await;
    let (body, cookies) = (login(&app, &ada).await, login(&app, &ada).await);
    let all = [&header, &body, &cookies];
    let everything = |request: Request| {
        let request = request.header("cookie", &cookies.cookies());
        request.header("sec-fetch-site", "same-origin")
    };
    let bearer = format!("Bearer {}", header.access);
    let request = by_body(&app, &body, json!({})).header("authorization", &bearer);
    logged_out(everything(request).await, 1);
    assert_eq!(live(&app, all), [false, true, true]);
    logged_out(everything(by_body(&app, &body, json!({}))).await, 1);
    assert_eq!(live(&app, all), [false, false, true]);
    logged_out(everything(app.anonymous().request("POST", LOGOUT)).await, 1);
    assert_eq!(live(&app, all), [false, false, false]);
}

async fn a_body_that_is_not_acceptable_ends_nothing(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let bearer = app.bearer(device.access.as_str());
    let (known, text) = (
        "must be one of `current`, `others`, `all`",
        "must be a string",
    );
    for (scope, message) in [
        (json!("everything"), known),
        (json!(""), known),
        (json!("ALL"), known),
        (json!(null), text),
        (json!(7), text),
        (json!(["all"]), text),
        (json!({ "all": null }), text),
    ] {
        let refused = bearer.post(LOGOUT, json!({ "scope": scope })).await;
        assert!(refused.all("set-cookie").is_empty());
        refused.invalid("scope", "invalid_type", message);
    }
    for token in [json!(null), json!(7), json!({})] {
        let refused = bearer.post(LOGOUT, json!({ "refresh_token": token })).await;
        let message = "must be a string";
        refused.invalid("refresh_token", "invalid_type", message);
    }
    for body in ["{", "scope=all", "{\"scope\":\"all\"}}"] {
        bearer.post(LOGOUT, body).await.refused(400, "INVALID_JSON");
    }
    for body in ["null", "[]", "\"all\""] {
        let refused = bearer.post(LOGOUT, body).await;
        refused.refused(400, "INVALID_REQUEST");
    }
    let form = bearer.post(LOGOUT, "scope=all".as_bytes()).await;
    form.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    let large = bearer.post(LOGOUT, " ".repeat(70_000)).await;
    large.refused(413, "BODY_TOO_LARGE");
    assert_eq!(live(&app, [&device]), [true]);
    refreshed(&app, &device).await;
}

async fn cookies_from_somewhere_else_end_nothing(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let access = format!("access_token={}", device.access);
    let refresh = format!("refresh_token={}", device.refresh);
    for cookie in [device.cookies(), access, refresh] {
        for origin in [None, Some("null"), Some("https://evil.example")] {
            let mut request = app.anonymous().post(LOGOUT, json!({ "scope": "all" }));
            request = request.header("cookie", &cookie);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let refused = request.await;
            // Nor does the browser lose them.
            assert!(refused.all("set-cookie").is_empty());
            refused.refused(403, "UNTRUSTED_ORIGIN");
        }
    }
    assert_eq!(live(&app, [&device]), [true]);
    who(&app, &device.access).await.ok();
}

async fn a_token_of_an_ended_session_is_refused_by_every_route_at_once(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    logged_out(by_access(&app, &device, json!({})).await, 1);
    let caller = app.bearer(device.access.as_str());
    for operation in protected(&app).await {
        let refused = operation.request(&caller, ada.id()).await;
        refused.refused(401, "TOKEN_REVOKED");
    }
    let by_cookie = app.anonymous().get(SESSION);
    let by_cookie = by_cookie.header("cookie", &device.cookies()).await;
    by_cookie.refused(401, "TOKEN_REVOKED");
}
