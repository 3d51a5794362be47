//! `GET /api/auth/sessions` and `DELETE /api/auth/sessions/{id}`

use std::time::Duration;

use e2e::{App, Client, Engine, on_both_engines};
use serde_json::{Value, json};

use super::change_password::passwords;
use super::login::{LOGIN, credentials};
use crate::sessions::fixtures::{
    ACCESS_TTL, CHANGE_PASSWORD, Device, MICROSECOND, SESSION_TTL, SESSIONS, are_live, get_session,
    is_revoked, login, refresh, refreshed, user_with_device,
};

on_both_engines! {
    the_list_has_all_fields_and_starts_with_the_last_used_session,
    only_live_sessions_of_the_caller_are_listed,
    the_list_needs_a_token,
    any_device_name_is_stored,
    deleting_a_session_revokes_it,
    deleting_the_current_session_logs_out,
    a_revoked_session_cannot_revoke_its_replacement_in_any_process,
    an_access_token_that_outlives_its_session_revokes_nothing,
    an_expired_session_revokes_no_other_within_the_leeway,
    a_token_without_a_session_revokes_nothing,
    a_session_of_another_user_is_not_found_and_not_revoked,
    an_invalid_id_is_not_found,
}

async fn list(app: &App, device: &Device) -> Vec<Value> {
    let list = app.bearer(device.access.as_str()).get(SESSIONS).await.ok();
    list.as_array().unwrap().clone()
}

fn ids(list: &[Value]) -> Vec<&str> {
    let ids = list.iter().map(|session| session["id"].as_str().unwrap());
    ids.collect()
}

fn session_path(id: &str) -> String {
    format!("{SESSIONS}/{id}")
}

async fn login_with(app: &App, user: &Client, user_agent: &str) -> Device {
    let body = credentials(user.email(), user.password());
    let request = app.anonymous().post(LOGIN, body);
    Device::from_response(&request.header("user-agent", user_agent).await.ok())
}

async fn the_list_has_all_fields_and_starts_with_the_last_used_session(app: App) {
    let (ada, laptop) = user_with_device(&app, "ada").await;
    app.clock.advance(Duration::from_millis(1));
    let phone = login_with(&app, &ada, "Ada's phone").await;
    app.clock.advance(Duration::from_secs(3600));
    let phone = refreshed(&app, &phone).await;
    app.clock.advance(Duration::from_secs(1));
    let terminal = login_with(&app, &ada, "curl/8").await;
    let session = |device: &Device, times: [&str; 3], user_agent: Value, current: bool| {
        let [created_at, last_used_at, expires_at] = times;
        json!({
            "id": device.session,
            "created_at": format!("2026-11-20T{created_at}Z"),
            "last_used_at": format!("2026-11-20T{last_used_at}Z"),
            "expires_at": format!("2026-11-27T{expires_at}Z"),
            "ip_address": "127.0.0.1",
            "user_agent": user_agent,
            "current": current,
        })
    };
    let expected = [
        session(&terminal, ["13:57:52.870"; 3], json!("curl/8"), false),
        session(
            &phone,
            ["12:57:51.870", "13:57:51.870", "13:57:51.870"],
            json!("Ada's phone"),
            true,
        ),
        session(&laptop, ["12:57:51.869"; 3], Value::Null, false),
    ];
    assert_eq!(list(&app, &phone).await, expected);
    // A refresh changes only the order.
    app.clock.advance(Duration::from_secs(1));
    refreshed(&app, &laptop).await;
    let listed = list(&app, &terminal).await;
    let order = [&laptop, &terminal, &phone].map(|device| device.session.as_str());
    assert_eq!(ids(&listed), order);
    let current = listed.iter().map(|session| session["current"] == true);
    let current: Vec<_> = current.collect();
    assert_eq!(current, [false, true, false]);
}

async fn only_live_sessions_of_the_caller_are_listed(app: App) {
    let (ada, expired) = user_with_device(&app, "ada").await;
    app.clock.advance(SESSION_TTL);
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let (revoked, live) = (login(&app, &ada).await, login(&app, &ada).await);
    app.bearer(live.access.as_str())
        .delete(&session_path(&revoked.session))
        .await
        .ok();
    assert_eq!(ids(&list(&app, &live).await), [live.session.as_str()]);
    let eve_list = list(&app, &eve_device).await;
    assert_eq!(ids(&eve_list), [eve_device.session.as_str()]);
    let refused = refresh(&app, &expired.refresh).await;
    refused.problem(401, "SESSION_EXPIRED");
    // The session of another service's token is not listed.
    // A user without an account has no sessions.
    let token = app.token_for(ada.id(), ada.email());
    let listed = app.bearer(token).get(SESSIONS).await.ok();
    assert_eq!(listed[0]["current"], false);
    let token = app.token_for("bob", "bob@example.com");
    assert_eq!(app.bearer(token).get(SESSIONS).await.ok(), json!([]));
}

async fn the_list_needs_a_token(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    for request in [
        app.anonymous().get(SESSIONS),
        app.anonymous().delete(&session_path(&device.session)),
    ] {
        request.await.problem(401, "UNAUTHORIZED");
    }
    let request = app.anonymous().get(SESSIONS);
    let listed = request.header("cookie", &device.cookies()).await.ok();
    assert_eq!(listed[0]["id"], device.session);
}

async fn any_device_name_is_stored(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let body = credentials(ada.email(), ada.password()).to_string();
    for (sent, listed) in [
        (b"a".repeat(512), "a".repeat(512)),
        (b"a".repeat(4000), "a".repeat(512)),
        ("é".repeat(4000).into_bytes(), "é".repeat(512)),
        (b"\xff\xfe\xc3".to_vec(), "\u{fffd}".repeat(3)),
        (b"a\tb\t".to_vec(), "ab".to_owned()),
        ("a\u{85}\u{9f}b".into(), "ab".to_owned()),
        (
            "\u{202e}<script>'\"\\%00".into(),
            "\u{202e}<script>'\"\\%00".to_owned(),
        ),
        (b"".to_vec(), String::new()),
    ] {
        app.clock.advance(Duration::from_secs(1));
        let mut connection = app.connect().await;
        let head = format!(
            "POST {LOGIN} HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nuser-agent: ",
            body.len()
        );
        let parts = [head.as_bytes(), &sent, b"\r\n\r\n", body.as_bytes()];
        connection.send(&parts.concat()).await;
        connection.response().await.unwrap().ok();
        assert_eq!(list(&app, &device).await[0]["user_agent"], listed);
    }
}

async fn deleting_a_session_revokes_it(app: App) {
    let (ada, own) = user_with_device(&app, "ada").await;
    let (deleted, other) = (login(&app, &ada).await, login(&app, &ada).await);
    let caller = app.bearer(own.access.as_str());
    let delete = caller.delete(&session_path(&deleted.session));
    assert_eq!(delete.clone().await.ok(), json!({ "success": true }));
    get_session(&app, &deleted.access)
        .await
        .problem(401, "TOKEN_REVOKED");
    let refused = refresh(&app, &deleted.refresh).await;
    refused.problem(401, "SESSION_EXPIRED");
    let repeated = delete.await.problem(404, "SESSION_NOT_FOUND");
    assert_eq!(repeated["detail"], "There is no such session");
    assert_eq!(are_live(&app, [&own, &other]), [true, true]);
}

async fn deleting_the_current_session_logs_out(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let other = login(&app, &ada).await;
    let caller = app.bearer(device.access.as_str());
    let delete = caller.delete(&session_path(&device.session));
    delete.clone().await.ok();
    delete.await.problem(401, "TOKEN_REVOKED");
    assert_eq!(are_live(&app, [&device, &other]), [false, true]);
}

/// A thief with a stolen token must not revoke the session that the owner gets by a change of password.
async fn a_revoked_session_cannot_revoke_its_replacement_in_any_process(app: App) {
    let other_process = app.another_process().start();
    let (ada, stolen) = user_with_device(&app, "ada").await;
    get_session(&other_process, &stolen.access).await.ok();
    let owner = app.bearer(stolen.access.as_str());
    let body = passwords(ada.password(), "another good password");
    let new_device = Device::from_response(&owner.post(CHANGE_PASSWORD, body).await.ok());
    for process in [&other_process, &app] {
        let thief = process.bearer(stolen.access.as_str());
        let refused = thief.delete(&session_path(&new_device.session)).await;
        refused.problem(401, "TOKEN_REVOKED");
    }
    assert_eq!(are_live(&app, [&stolen, &new_device]), [false, true]);
    get_session(&other_process, &new_device.access).await.ok();
}

/// Another process has just revoked the session, and this process has not been notified yet.
async fn an_access_token_that_outlives_its_session_revokes_nothing(app: App) {
    let (ada, revoked) = user_with_device(&app, "ada").await;
    let other = login(&app, &ada).await;
    app.database().execute(&format!(
        "UPDATE sessions SET revoked_at = created_at WHERE id = '{}'",
        revoked.session
    ));
    get_session(&app, &revoked.access).await.ok();
    let caller = app.bearer(revoked.access.as_str());
    for id in [&other.session, &revoked.session] {
        let refused = caller.delete(&session_path(id)).await;
        refused.problem(401, "TOKEN_REVOKED");
    }
    assert_eq!(are_live(&app, [&other]), [true]);
}

/// The access token and the session expire at the same time, and a verifier accepts the token for five seconds more.
async fn an_expired_session_revokes_no_other_within_the_leeway(engine: Engine) {
    let second = Duration::from_secs(1);
    let app = App::on(engine).set("session-ttl", "15m").start();
    let (ada, expiring) = user_with_device(&app, "ada").await;
    let caller = app.bearer(expiring.access.as_str());
    app.clock.advance(ACCESS_TTL.saturating_sub(second));
    let (first, last) = (login(&app, &ada).await, login(&app, &ada).await);
    app.clock.advance(second.saturating_sub(MICROSECOND));
    caller.delete(&session_path(&first.session)).await.ok();
    app.clock.advance(MICROSECOND);
    get_session(&app, &expiring.access).await.ok();
    let refused = caller.delete(&session_path(&last.session)).await;
    refused.problem(401, "TOKEN_REVOKED");
    assert_eq!(are_live(&app, [&first, &last]), [false, true]);
}

async fn a_token_without_a_session_revokes_nothing(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let delegated = app.bearer(app.token_for(ada.id(), ada.email()));
    let refused = delegated.delete(&session_path(&device.session)).await;
    refused.problem(401, "TOKEN_REVOKED");
    assert_eq!(are_live(&app, [&device]), [true]);
}

async fn a_session_of_another_user_is_not_found_and_not_revoked(app: App) {
    let (_, ada_device) = user_with_device(&app, "ada").await;
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let caller = app.bearer(eve_device.access.as_str());
    let refused = caller.delete(&session_path(&ada_device.session)).await;
    let of_other_user = refused.problem(404, "SESSION_NOT_FOUND");
    let unknown = caller.delete(&session_path("00000000-0000-7000-8000-000000000000"));
    let unknown = unknown.await.problem(404, "SESSION_NOT_FOUND");
    assert_eq!(of_other_user, unknown);
    assert!(!is_revoked(&app, &ada_device.session));
    get_session(&app, &ada_device.access).await.ok();
    refreshed(&app, &ada_device).await;
}

async fn an_invalid_id_is_not_found(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let caller = app.bearer(device.access.as_str());
    let upper = device.session.to_uppercase();
    let braced = format!("%7B{}%7D", device.session);
    let longer = format!("{}%00", device.session);
    let long = "a".repeat(8000);
    for id in [
        "%00",
        "%ff",
        "%20",
        "1",
        "-1",
        "null",
        "*",
        "%25",
        "'%20OR%20''='",
        "a%2Fb",
        "%C3%A9",
        &upper,
        &braced,
        &longer,
        &long,
    ] {
        let refused = caller.delete(&session_path(id)).await;
        refused.problem(404, "SESSION_NOT_FOUND");
    }
    for path in [session_path(""), session_path("a/b")] {
        caller.delete(&path).await.problem(404, "NOT_FOUND");
    }
    get_session(&app, &device.access).await.ok();
}
