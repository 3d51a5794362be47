//! Tests that a login or a registration with the cookies of a session revokes that session.

use std::time::Duration;

use e2e::{App, Client, Engine, Request, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

use crate::auth::change_password::passwords_body;
use crate::auth::login::{LOGIN, credentials};
use crate::auth::logout::by_access;
use crate::sessions::fixtures::{
    CHANGE_PASSWORD, Device, MAX_REVOCATION_DELAY, SERVER_ORIGIN, are_live, encode_refresh_token,
    get_session, login, refresh, refreshed, until_rejected, user_with_device,
};

on_both_engines! {
    a_login_revokes_the_session_of_its_cookies_in_every_process,
    either_cookie_alone_revokes_its_session_even_if_the_access_token_has_expired,
    cookies_of_two_sessions_revoke_both_sessions,
    a_registration_revokes_the_session_of_its_cookies,
    a_login_of_another_user_revokes_the_session_of_its_cookies,
    a_failed_login_revokes_nothing,
    forged_or_doubled_cookies_revoke_nothing,
    a_login_from_an_untrusted_origin_revokes_nothing,
    parallel_logins_with_the_same_cookies_revoke_the_session_once,
    logins_that_replace_sessions_during_other_revocations_cause_no_internal_errors,
}

const REGISTER: &str = "/api/auth/register";

/// Adds these cookies to the request, and the origin of the server's own pages.
fn add_browser_headers(request: Request, cookies: &str) -> Request {
    let request = request.header("cookie", cookies);
    request.header("origin", SERVER_ORIGIN)
}

async fn a_login_revokes_the_session_of_its_cookies_in_every_process(app: App) {
    let other_process = app.another_process().start();
    let (ada, replaced_device) = user_with_device(&app, "ada").await;
    let phone = login(&app, &ada).await;
    get_session(&other_process, &replaced_device.access)
        .await
        .ok();
    let request = app
        .anonymous()
        .post(LOGIN, credentials(ada.email(), ada.password()));
    let response = add_browser_headers(request, &replaced_device.cookies()).await;
    assert_eq!(response.header_values("set-cookie").len(), 2);
    let new_device = Device::from_response(&response.ok());
    assert_eq!(
        are_live(&app, [&replaced_device, &new_device, &phone]),
        [false, true, true]
    );
    get_session(&app, &replaced_device.access)
        .await
        .problem(401, "TOKEN_REVOKED");
    let rejection = refresh(&app, &replaced_device.refresh).await;
    rejection.problem(401, "SESSION_EXPIRED");
    let delay = until_rejected(&other_process, &replaced_device.access, "TOKEN_REVOKED").await;
    assert!(delay < MAX_REVOCATION_DELAY, "{delay:?}");
    get_session(&other_process, &new_device.access).await.ok();
    refreshed(&app, &new_device).await;
}

async fn either_cookie_alone_revokes_its_session_even_if_the_access_token_has_expired(app: App) {
    let (ada, first_device) = user_with_device(&app, "ada").await;
    let second_device = login(&app, &ada).await;
    app.clock.advance(Duration::from_secs(24 * 60 * 60));
    for cookie in [
        format!("access_token={}", first_device.access),
        format!("access_token=junk; refresh_token={}", second_device.refresh),
    ] {
        let body = credentials(ada.email(), ada.password());
        let request = app.anonymous().post(LOGIN, body);
        add_browser_headers(request, &cookie).await.ok();
    }
    assert_eq!(
        are_live(&app, [&first_device, &second_device]),
        [false, false]
    );
}

async fn cookies_of_two_sessions_revoke_both_sessions(app: App) {
    let (ada, phone) = user_with_device(&app, "ada").await;
    let (eve, _) = user_with_device(&app, "eve").await;
    let registration_body = credentials("bob@example.com", "correct horse");
    let login_body = credentials(ada.email(), ada.password());
    for (path, body) in [(LOGIN, login_body), (REGISTER, registration_body)] {
        let (ada_device, eve_device) = (login(&app, &ada).await, login(&app, &eve).await);
        let mixed_device = Device {
            refresh: eve_device.refresh.clone(),
            ..ada_device.clone()
        };
        let request =
            add_browser_headers(app.anonymous().post(path, body), &mixed_device.cookies());
        let response = request.await;
        assert!(response.status() < 300, "{}", response.text());
        assert_eq!(
            are_live(&app, [&ada_device, &eve_device, &phone]),
            [false, false, true]
        );
        get_session(&app, &ada_device.access)
            .await
            .problem(401, "TOKEN_REVOKED");
        get_session(&app, &eve_device.access)
            .await
            .problem(401, "TOKEN_REVOKED");
    }
}

async fn a_registration_revokes_the_session_of_its_cookies(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let phone = login(&app, &ada).await;
    for (new_user_name, cookies) in [("bob", device.cookies()), ("cid", phone.cookies())] {
        let body = credentials(&format!("{new_user_name}@example.com"), "correct horse");
        let request = add_browser_headers(app.anonymous().post(REGISTER, body), &cookies);
        Device::from_response(&request.await.created());
    }
    assert_eq!(are_live(&app, [&device, &phone]), [false, false]);
    // A failed registration creates no session and therefore revokes no session.
    let new_device = login(&app, &ada).await;
    let body = credentials("bob@example.com", "correct horse");
    let request = add_browser_headers(app.anonymous().post(REGISTER, body), &new_device.cookies());
    request.await.problem(409, "USER_ALREADY_EXISTS");
    assert_eq!(are_live(&app, [&new_device]), [true]);
}

async fn a_login_of_another_user_revokes_the_session_of_its_cookies(app: App) {
    let (_, ada_device) = user_with_device(&app, "ada").await;
    let (eve, eve_device) = user_with_device(&app, "eve").await;
    let request = app
        .anonymous()
        .post(LOGIN, credentials(eve.email(), eve.password()));
    let token_response = add_browser_headers(request, &ada_device.cookies())
        .await
        .ok();
    assert_eq!(token_response["user"]["id"], eve.id());
    assert_eq!(are_live(&app, [&ada_device, &eve_device]), [false, true]);
    get_session(&app, &ada_device.access)
        .await
        .problem(401, "TOKEN_REVOKED");
}

async fn a_failed_login_revokes_nothing(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    for body in [
        credentials(ada.email(), "not the password"),
        credentials("unknown@example.com", ada.password()),
    ] {
        let request = add_browser_headers(app.anonymous().post(LOGIN, body), &device.cookies());
        request.await.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    let request = add_browser_headers(app.anonymous().post(LOGIN, json!({})), &device.cookies());
    request.await.problem(422, "VALIDATION_ERROR");
    assert_eq!(are_live(&app, [&device]), [true]);
    get_session(&app, &device.access).await.ok();
}

async fn forged_or_doubled_cookies_revoke_nothing(app: App) {
    let (_, ada_device) = user_with_device(&app, "ada").await;
    let (eve, eve_device) = user_with_device(&app, "eve").await;
    let token_of_other_secret = encode_refresh_token(
        "the secret of another server, 32 bytes",
        &ada_device.session,
        0,
    );
    let tamper = |token: &str| format!("{}A", &token[..token.len() - 1]);
    let doubled_cookies = format!("{}; {}", ada_device.cookies(), ada_device.cookies());
    for cookies in [
        format!("access_token={}", ada_device.session),
        format!("refresh_token={}", ada_device.session),
        format!("refresh_token={token_of_other_secret}"),
        format!(
            "access_token={}",
            tamper(&ada_device.access[..ada_device.access.len() - 5])
        ),
        format!("access_token={}", ada_device.refresh),
        format!("refresh_token={}", ada_device.access),
        doubled_cookies,
        format!("{}; {}", ada_device.cookies(), eve_device.cookies()),
        format!("__Host-access_token={}", ada_device.access),
        format!("__Secure-refresh_token={}", ada_device.refresh),
    ] {
        let request = app
            .anonymous()
            .post(LOGIN, credentials(eve.email(), eve.password()));
        add_browser_headers(request, &cookies).await.ok();
        assert_eq!(
            are_live(&app, [&ada_device, &eve_device]),
            [true, true],
            "{cookies}"
        );
    }
    // A token in a header revokes no session, because the login replaces no cookie.
    let request = app
        .bearer(ada_device.access.as_str())
        .post(LOGIN, credentials(eve.email(), eve.password()));
    request.header("origin", SERVER_ORIGIN).await.ok();
    assert_eq!(are_live(&app, [&ada_device, &eve_device]), [true, true]);
}

/// A page of an untrusted origin can make a browser log in, but must not end the session of that browser.
async fn a_login_from_an_untrusted_origin_revokes_nothing(engine: Engine) {
    let allowed_origin = "https://app.example";
    let app = App::on(engine)
        .set("allowed-origins", allowed_origin)
        .start();
    let (_, device) = user_with_device(&app, "ada").await;
    let (eve, _) = user_with_device(&app, "eve").await;
    let build_request = || {
        let body = credentials(eve.email(), eve.password());
        let request = app.anonymous().post(LOGIN, body);
        request.header("cookie", &device.cookies())
    };
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", ""),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("x-unrelated", "x"),
    ] {
        build_request().header(name, value).await.ok();
        assert_eq!(are_live(&app, [&device]), [true], "{name}: {value}");
    }
    build_request().header("origin", allowed_origin).await.ok();
    assert_eq!(are_live(&app, [&device]), [false]);
}

async fn parallel_logins_with_the_same_cookies_revoke_the_session_once(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let (eve, _) = user_with_device(&app, "eve").await;
    let log_in = |user: &Client| {
        let body = credentials(user.email(), user.password());
        add_browser_headers(app.anonymous().post(LOGIN, body), &device.cookies()).into_future()
    };
    let responses = tokio::join!(log_in(&ada), log_in(&eve), log_in(&ada), log_in(&eve));
    for response in [responses.0, responses.1, responses.2, responses.3] {
        let new_device = Device::from_response(&response.ok());
        get_session(&app, &new_device.access).await.ok();
    }
    let revocation_count_query = format!(
        "SELECT COUNT(*) FROM revocations WHERE session_id = '{}'",
        device.session
    );
    assert_eq!(app.database().value(&revocation_count_query).unwrap(), "1");
}

/// Two users log in with each other's cookies while both users change their passwords and log out everywhere.
async fn logins_that_replace_sessions_during_other_revocations_cause_no_internal_errors(app: App) {
    for round in 0..5 {
        let (ada, ada_phone) = user_with_device(&app, &format!("ada{round}")).await;
        let (eve, eve_phone) = user_with_device(&app, &format!("eve{round}")).await;
        let ada_devices = [ada_phone, login(&app, &ada).await, login(&app, &ada).await];
        let eve_devices = [eve_phone, login(&app, &eve).await, login(&app, &eve).await];
        let log_in_with_cookies_of = |user: &Client, device: &Device| {
            let body = credentials(user.email(), user.password());
            add_browser_headers(app.anonymous().post(LOGIN, body), &device.cookies()).into_future()
        };
        let change_password = |user: &Client, device: &Device| {
            let body = passwords_body(user.password(), "another good password");
            let bearer_caller = app.bearer(device.access.as_str());
            bearer_caller.post(CHANGE_PASSWORD, body).into_future()
        };
        let log_out_everywhere =
            |device: &Device| by_access(&app, device, json!({ "scope": "all" }));
        let responses = join_all([
            log_in_with_cookies_of(&ada, &eve_devices[0]),
            log_in_with_cookies_of(&eve, &ada_devices[0]),
            change_password(&ada, &ada_devices[1]),
            change_password(&eve, &eve_devices[1]),
            log_in_with_cookies_of(&ada, &eve_devices[0]),
            log_in_with_cookies_of(&eve, &ada_devices[0]),
            log_out_everywhere(&ada_devices[2]).into_future(),
            log_out_everywhere(&eve_devices[2]).into_future(),
        ])
        .await;
        for response in responses {
            assert!(response.status() < 500, "{}", response.text());
        }
        assert_eq!(
            are_live(&app, ada_devices.iter().chain(&eve_devices)),
            [false; 6]
        );
    }
}
