//! Tests parallel requests: afterwards every session that must be revoked is revoked, and no request gets a 500.

use e2e::{App, Client, Request, Response, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

use super::fixtures::{
    ACCOUNT, CHANGE_PASSWORD, Device, LOGOUT, count, get_session, is_revoked, login,
    race_transaction, refresh, user_with_device,
};
use crate::auth::change_password::passwords_body;
use crate::auth::login::{LOGIN, credentials};
use crate::auth::logout::by_access;

on_both_engines! {
    a_login_is_rejected_if_the_password_changes_during_the_login,
    a_deletion_is_rejected_if_the_password_changes_during_the_deletion,
    after_a_change_of_password_no_login_with_the_old_password_survives,
    of_many_parallel_changes_of_password_one_succeeds,
    parallel_password_changes_deletions_and_logouts_cause_no_500,
    parallel_logouts_of_all_sessions_revoke_each_session_once,
    no_refresh_survives_a_logout,
}

const NEW_PASSWORD: &str = "another good password";

/// Sends the request while a transaction outside the server changes Ada's password to Eve's.
async fn race_password_change(app: &App, ada: &Client, eve: &Client, request: Request) -> Response {
    let statement = format!(
        "UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE id = '{}') \
         WHERE id = '{}'",
        eve.id(),
        ada.id()
    );
    race_transaction(app, &statement, request).await
}

async fn a_login_is_rejected_if_the_password_changes_during_the_login(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let session_count = count(&app, "sessions");
    let body = credentials(ada.email(), ada.password());
    let login_request = app.anonymous().post(LOGIN, body);
    let refused = race_password_change(&app, &ada, &eve, login_request).await;
    refused.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    assert_eq!(count(&app, "sessions"), session_count);
}

async fn a_deletion_is_rejected_if_the_password_changes_during_the_deletion(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let body = json!({ "password": ada.password() });
    let deletion_request = ada.delete(ACCOUNT).body(body);
    let refused = race_password_change(&app, &ada, &eve, deletion_request).await;
    refused.problem(401, "TOKEN_REVOKED");
    assert_eq!(count(&app, "users"), 2);
    ada.get(ACCOUNT).await.ok();
}

async fn after_a_change_of_password_no_login_with_the_old_password_survives(app: App) {
    for round in 0..6 {
        let (ada, device) = user_with_device(&app, &format!("ada{round}")).await;
        let bearer = app.bearer(device.access.as_str());
        let change_request = bearer.post(
            CHANGE_PASSWORD,
            passwords_body(ada.password(), NEW_PASSWORD),
        );
        let login_with = |password: &str| {
            let body = credentials(ada.email(), password);
            app.anonymous().post(LOGIN, body)
        };
        let old_password_logins = (0..8).map(|_| login_with(ada.password()).into_future());
        let new_password_logins = (0..4).map(|_| login_with(NEW_PASSWORD).into_future());
        let (responses_before, change_response, responses_after, new_password_responses) = tokio::join!(
            join_all(old_password_logins.clone()),
            change_request.into_future(),
            join_all(old_password_logins),
            join_all(new_password_logins),
        );
        let changed_device = Device::from_response(&change_response.ok());
        for response in responses_before.into_iter().chain(responses_after) {
            if response.status() == 401 {
                response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
                continue;
            }
            let old_device = Device::from_response(&response.ok());
            assert!(is_revoked(&app, &old_device.session));
            get_session(&app, &old_device.access)
                .await
                .problem(401, "TOKEN_REVOKED");
        }
        for response in new_password_responses {
            if response.status() == 200 {
                let new_device = Device::from_response(&response.ok());
                get_session(&app, &new_device.access).await.ok();
            }
        }
        get_session(&app, &changed_device.access).await.ok();
    }
}

async fn of_many_parallel_changes_of_password_one_succeeds(app: App) {
    let (ada, first_device) = user_with_device(&app, "ada").await;
    let mut devices = vec![first_device];
    for _ in 0..7 {
        devices.push(login(&app, &ada).await);
    }
    let changes = devices.iter().enumerate().map(|(number, device)| {
        let new_password = format!("the new password {number}");
        let body = passwords_body(ada.password(), &new_password);
        let bearer = app.bearer(device.access.as_str());
        bearer.post(CHANGE_PASSWORD, body).into_future()
    });
    let responses = join_all(changes).await;
    let successes: Vec<_> = responses
        .iter()
        .map(|response| response.status() == 200)
        .collect();
    assert_eq!(successes.iter().filter(|success| **success).count(), 1);
    for (number, (response, device)) in responses.into_iter().zip(&devices).enumerate() {
        let body = credentials(ada.email(), &format!("the new password {number}"));
        let login_response = app.anonymous().post(LOGIN, body).await;
        if successes[number] {
            let changed_device = Device::from_response(&response.ok());
            login_response.ok();
            get_session(&app, &changed_device.access).await.ok();
        } else {
            assert!(
                matches!(response.status(), 401 | 403),
                "{}",
                response.text()
            );
            login_response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
        }
        get_session(&app, &device.access)
            .await
            .problem(401, "TOKEN_REVOKED");
    }
}

async fn parallel_password_changes_deletions_and_logouts_cause_no_500(app: App) {
    for round in 0..10 {
        let (ada, first_device) = user_with_device(&app, &format!("ada{round}")).await;
        let mut devices = vec![first_device];
        for _ in 0..5 {
            devices.push(login(&app, &ada).await);
        }
        let client_of_device = |number: usize| app.bearer(devices[number].access.as_str());
        let change_request = client_of_device(0).post(
            CHANGE_PASSWORD,
            passwords_body(ada.password(), NEW_PASSWORD),
        );
        let deletion_body = json!({ "password": ada.password() });
        let responses = join_all([
            change_request.into_future(),
            client_of_device(1)
                .delete(ACCOUNT)
                .body(deletion_body)
                .into_future(),
            by_access(&app, &devices[2], json!({ "scope": "all" })).into_future(),
            by_access(&app, &devices[3], json!({ "scope": "others" })).into_future(),
            refresh(&app, &devices[4].refresh).into_future(),
            app.anonymous()
                .post(LOGIN, credentials(ada.email(), ada.password()))
                .into_future(),
        ])
        .await;
        for response in &responses {
            assert!(response.status() < 500, "{}", response.text());
        }
        // If the account was deleted, a parallel refresh or login must leave no live session.
        let is_deleted = count(&app, &format!("users WHERE id = '{}'", ada.id())) == 0;
        assert_eq!(is_deleted, responses[1].status() == 200);
        for response in &responses[4..] {
            if is_deleted && response.status() == 200 {
                let device = Device::from_response(&response.clone().ok());
                let refused = get_session(&app, &device.access).await;
                refused.problem(401, "TOKEN_REVOKED");
            }
        }
    }
}

async fn parallel_logouts_of_all_sessions_revoke_each_session_once(app: App) {
    let (ada, first_device) = user_with_device(&app, "ada").await;
    let mut devices = vec![first_device];
    for _ in 0..15 {
        devices.push(login(&app, &ada).await);
    }
    let logouts = devices.iter().map(|device| {
        let bearer = app.bearer(device.access.as_str());
        bearer.post(LOGOUT, json!({ "scope": "all" })).into_future()
    });
    let responses = join_all(logouts).await.into_iter();
    let revoked_counts = responses.map(|response| response.ok()["revoked"].as_u64().unwrap());
    assert_eq!(revoked_counts.sum::<u64>(), 16);
    let distinct_ids_query = "SELECT COUNT(DISTINCT session_id) FROM revocations";
    let repeated_ids_query =
        format!("{distinct_ids_query} HAVING COUNT(*) > COUNT(DISTINCT session_id)");
    assert_eq!(app.database().value(&repeated_ids_query), None);
    for device in &devices {
        get_session(&app, &device.access)
            .await
            .problem(401, "TOKEN_REVOKED");
    }
}

async fn no_refresh_survives_a_logout(app: App) {
    for round in 0..5 {
        let (_, device) = user_with_device(&app, &format!("ada{round}")).await;
        let refreshes = (0..8).map(|_| refresh(&app, &device.refresh).into_future());
        let (responses_before, logout_response, responses_after) = tokio::join!(
            join_all(refreshes.clone()),
            by_access(&app, &device, json!({})).into_future(),
            join_all(refreshes),
        );
        assert_eq!(logout_response.ok()["revoked"], 1);
        for response in responses_before.into_iter().chain(responses_after) {
            if response.status() == 401 {
                response.problem(401, "SESSION_EXPIRED");
                continue;
            }
            let refreshed_device = Device::from_response(&response.ok());
            get_session(&app, &refreshed_device.access)
                .await
                .problem(401, "TOKEN_REVOKED");
            let refused = refresh(&app, &refreshed_device.refresh).await;
            refused.problem(401, "SESSION_EXPIRED");
        }
    }
}
