//! Tests `GET /api/auth/sessions` and `DELETE /api/auth/sessions/{id}`.

use std::time::Duration;

use e2e::{App, Client, Engine, on_both_engines};
use serde_json::{Value, json};

use super::change_password::passwords_body;
use super::login::{LOGIN, credentials};
use crate::sessions::fixtures::{
    ACCESS_TTL, CHANGE_PASSWORD, Device, MICROSECOND, SESSION_TTL, SESSIONS, are_live, get_session,
    is_revoked, login, refresh, refreshed, user_with_device,
};

on_both_engines! {
    each_session_has_all_fields_and_the_last_used_session_is_first,
    only_live_sessions_of_the_caller_are_listed,
    the_list_and_a_deletion_need_a_token,
    any_user_agent_is_stored,
    a_deleted_session_is_revoked,
    deleting_the_session_of_the_caller_logs_the_caller_out,
    a_revoked_session_cannot_revoke_its_replacement_in_any_process,
    an_access_token_of_a_revoked_session_revokes_nothing,
    an_expired_session_revokes_no_other_session_within_the_leeway,
    a_token_without_a_session_revokes_nothing,
    a_session_of_another_user_is_not_found_and_not_revoked,
    an_invalid_session_id_is_not_found,
}

async fn list_sessions(app: &App, device: &Device) -> Vec<Value> {
    let body = app.bearer(device.access.as_str()).get(SESSIONS).await.ok();
    body.as_array().unwrap().clone()
}

fn session_ids(sessions: &[Value]) -> Vec<&str> {
    let ids = sessions
        .iter()
        .map(|session| session["id"].as_str().unwrap());
    ids.collect()
}

fn session_path(session_id: &str) -> String {
    format!("{SESSIONS}/{session_id}")
}

async fn login_with_user_agent(app: &App, user: &Client, user_agent: &str) -> Device {
    let body = credentials(user.email(), user.password());
    let request = app.anonymous().post(LOGIN, body);
    Device::from_response(&request.header("user-agent", user_agent).await.ok())
}

async fn each_session_has_all_fields_and_the_last_used_session_is_first(app: App) {
    let (ada, laptop) = user_with_device(&app, "ada").await;
    app.clock.advance(Duration::from_millis(1));
    let phone_before_refresh = login_with_user_agent(&app, &ada, "Ada's phone").await;
    app.clock.advance(Duration::from_secs(3600));
    let phone = refreshed(&app, &phone_before_refresh).await;
    app.clock.advance(Duration::from_secs(1));
    let terminal = login_with_user_agent(&app, &ada, "curl/8").await;
    let build_expected_session =
        |device: &Device, clock_times: [&str; 3], user_agent: Value, is_current: bool| {
            let [created_at, last_used_at, expires_at] = clock_times;
            json!({
                "id": device.session,
                "created_at": format!("2026-11-20T{created_at}Z"),
                "last_used_at": format!("2026-11-20T{last_used_at}Z"),
                "expires_at": format!("2026-11-27T{expires_at}Z"),
                "ip_address": "127.0.0.1",
                "user_agent": user_agent,
                "current": is_current,
            })
        };
    let expected = [
        build_expected_session(&terminal, ["13:57:52.870"; 3], json!("curl/8"), false),
        build_expected_session(
            &phone,
            ["12:57:51.870", "13:57:51.870", "13:57:51.870"],
            json!("Ada's phone"),
            true,
        ),
        build_expected_session(&laptop, ["12:57:51.869"; 3], Value::Null, false),
    ];
    assert_eq!(list_sessions(&app, &phone).await, expected);
    // After a refresh of the laptop, the session of the laptop is first.
    app.clock.advance(Duration::from_secs(1));
    refreshed(&app, &laptop).await;
    let sessions = list_sessions(&app, &terminal).await;
    let expected_ids = [&laptop, &terminal, &phone].map(|device| device.session.as_str());
    assert_eq!(session_ids(&sessions), expected_ids);
    let flags = sessions.iter().map(|session| session["current"] == true);
    let current_flags: Vec<_> = flags.collect();
    assert_eq!(current_flags, [false, true, false]);
}

async fn only_live_sessions_of_the_caller_are_listed(app: App) {
    let (ada, expired_device) = user_with_device(&app, "ada").await;
    app.clock.advance(SESSION_TTL);
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let (revoked_device, live_device) = (login(&app, &ada).await, login(&app, &ada).await);
    app.bearer(live_device.access.as_str())
        .delete(&session_path(&revoked_device.session))
        .await
        .ok();
    assert_eq!(
        session_ids(&list_sessions(&app, &live_device).await),
        [live_device.session.as_str()]
    );
    let eve_sessions = list_sessions(&app, &eve_device).await;
    assert_eq!(session_ids(&eve_sessions), [eve_device.session.as_str()]);
    let response = refresh(&app, &expired_device.refresh).await;
    response.problem(401, "SESSION_EXPIRED");
    // The session of a token that another service issued is not in the list, so the list marks no session as current.
    let service_token = app.token_for(ada.id(), ada.email());
    let sessions = app.bearer(service_token).get(SESSIONS).await.ok();
    assert_eq!(sessions[0]["current"], false);
    // For a token without an account, the list is empty.
    let bob_token = app.token_for("bob", "bob@example.com");
    assert_eq!(app.bearer(bob_token).get(SESSIONS).await.ok(), json!([]));
}

async fn the_list_and_a_deletion_need_a_token(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    for request in [
        app.anonymous().get(SESSIONS),
        app.anonymous().delete(&session_path(&device.session)),
    ] {
        request.await.problem(401, "UNAUTHORIZED");
    }
    let request = app.anonymous().get(SESSIONS);
    let sessions = request.header("cookie", &device.cookies()).await.ok();
    assert_eq!(sessions[0]["id"], device.session);
}

async fn any_user_agent_is_stored(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let body = credentials(ada.email(), ada.password()).to_string();
    for (sent_user_agent, listed_user_agent) in [
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
        let request_head = format!(
            "POST {LOGIN} HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nuser-agent: ",
            body.len()
        );
        let request_parts = [
            request_head.as_bytes(),
            &sent_user_agent,
            b"\r\n\r\n",
            body.as_bytes(),
        ];
        connection.send(&request_parts.concat()).await;
        connection.response().await.unwrap().ok();
        assert_eq!(
            list_sessions(&app, &device).await[0]["user_agent"],
            listed_user_agent
        );
    }
}

async fn a_deleted_session_is_revoked(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let (deleted_device, other_device) = (login(&app, &ada).await, login(&app, &ada).await);
    let caller = app.bearer(device.access.as_str());
    let request = caller.delete(&session_path(&deleted_device.session));
    assert_eq!(request.clone().await.ok(), json!({ "success": true }));
    get_session(&app, &deleted_device.access)
        .await
        .problem(401, "TOKEN_REVOKED");
    let response = refresh(&app, &deleted_device.refresh).await;
    response.problem(401, "SESSION_EXPIRED");
    let problem = request.await.problem(404, "SESSION_NOT_FOUND");
    assert_eq!(problem["detail"], "There is no such session");
    assert_eq!(are_live(&app, [&device, &other_device]), [true, true]);
}

async fn deleting_the_session_of_the_caller_logs_the_caller_out(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let other_device = login(&app, &ada).await;
    let caller = app.bearer(device.access.as_str());
    let request = caller.delete(&session_path(&device.session));
    request.clone().await.ok();
    request.await.problem(401, "TOKEN_REVOKED");
    assert_eq!(are_live(&app, [&device, &other_device]), [false, true]);
}

/// After the owner changes the password, a thief with a stolen token must not revoke the owner's new session.
async fn a_revoked_session_cannot_revoke_its_replacement_in_any_process(app: App) {
    let other_process = app.another_process().start();
    let (ada, stolen_device) = user_with_device(&app, "ada").await;
    get_session(&other_process, &stolen_device.access)
        .await
        .ok();
    let owner = app.bearer(stolen_device.access.as_str());
    let body = passwords_body(ada.password(), "another good password");
    let new_device = Device::from_response(&owner.post(CHANGE_PASSWORD, body).await.ok());
    for process in [&other_process, &app] {
        let thief = process.bearer(stolen_device.access.as_str());
        let response = thief.delete(&session_path(&new_device.session)).await;
        response.problem(401, "TOKEN_REVOKED");
    }
    assert_eq!(are_live(&app, [&stolen_device, &new_device]), [false, true]);
    get_session(&other_process, &new_device.access).await.ok();
}

/// Another process has just revoked the session, and this process has not read the revocation yet.
async fn an_access_token_of_a_revoked_session_revokes_nothing(app: App) {
    let (ada, revoked_device) = user_with_device(&app, "ada").await;
    let other_device = login(&app, &ada).await;
    app.database().execute(&format!(
        "UPDATE sessions SET revoked_at = created_at WHERE id = '{}'",
        revoked_device.session
    ));
    get_session(&app, &revoked_device.access).await.ok();
    let caller = app.bearer(revoked_device.access.as_str());
    for session_id in [&other_device.session, &revoked_device.session] {
        let response = caller.delete(&session_path(session_id)).await;
        response.problem(401, "TOKEN_REVOKED");
    }
    assert_eq!(are_live(&app, [&other_device]), [true]);
}

/// The access token and the session expire within the same second, but a verifier accepts the token for five seconds
/// more (the leeway).
async fn an_expired_session_revokes_no_other_session_within_the_leeway(engine: Engine) {
    let one_second = Duration::from_secs(1);
    let app = App::on(engine).set("session-ttl", "15m").start();
    let (ada, expiring_device) = user_with_device(&app, "ada").await;
    let caller = app.bearer(expiring_device.access.as_str());
    app.clock.advance(ACCESS_TTL.saturating_sub(one_second));
    let (first_device, last_device) = (login(&app, &ada).await, login(&app, &ada).await);
    app.clock.advance(one_second.saturating_sub(MICROSECOND));
    caller
        .delete(&session_path(&first_device.session))
        .await
        .ok();
    app.clock.advance(MICROSECOND);
    get_session(&app, &expiring_device.access).await.ok();
    let response = caller.delete(&session_path(&last_device.session)).await;
    response.problem(401, "TOKEN_REVOKED");
    assert_eq!(are_live(&app, [&first_device, &last_device]), [false, true]);
}

async fn a_token_without_a_session_revokes_nothing(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let service_caller = app.bearer(app.token_for(ada.id(), ada.email()));
    let response = service_caller.delete(&session_path(&device.session)).await;
    response.problem(401, "TOKEN_REVOKED");
    assert_eq!(are_live(&app, [&device]), [true]);
}

async fn a_session_of_another_user_is_not_found_and_not_revoked(app: App) {
    let (_, ada_device) = user_with_device(&app, "ada").await;
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let caller = app.bearer(eve_device.access.as_str());
    let response = caller.delete(&session_path(&ada_device.session)).await;
    let other_user_problem = response.problem(404, "SESSION_NOT_FOUND");
    let request = caller.delete(&session_path("00000000-0000-7000-8000-000000000000"));
    let unknown_id_problem = request.await.problem(404, "SESSION_NOT_FOUND");
    assert_eq!(other_user_problem, unknown_id_problem);
    assert!(!is_revoked(&app, &ada_device.session));
    get_session(&app, &ada_device.access).await.ok();
    refreshed(&app, &ada_device).await;
}

async fn an_invalid_session_id_is_not_found(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let caller = app.bearer(device.access.as_str());
    let upper_case_id = device.session.to_uppercase();
    let braced_id = format!("%7B{}%7D", device.session);
    let id_with_nul = format!("{}%00", device.session);
    let long_id = "a".repeat(8000);
    for invalid_id in [
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
        &upper_case_id,
        &braced_id,
        &id_with_nul,
        &long_id,
    ] {
        let response = caller.delete(&session_path(invalid_id)).await;
        response.problem(404, "SESSION_NOT_FOUND");
    }
    for path in [session_path(""), session_path("a/b")] {
        caller.delete(&path).await.problem(404, "NOT_FOUND");
    }
    get_session(&app, &device.access).await.ok();
}
