//! Tests `GET /api/auth/revocations`, the list of revoked sessions for services with the secret or a derived key.

use auth_core::revocation::FeedTokens;
use auth_core::{Keyring, Secret};
use e2e::{App, Client, Engine, Issuer, on_both_engines};
use serde_json::{Value, json};

use super::logout::{assert_logged_out, by_access};
use crate::sessions::fixtures::{get_session, login, user_with_device};

const REVOCATIONS: &str = "/api/auth/revocations";

on_both_engines! {
    only_services_with_the_secret_may_read_the_list,
    a_service_with_a_derived_key_may_read_the_list,
    revocations_after_a_sequence_number_are_listed,
    a_page_has_at_most_a_thousand_revocations,
    a_sequence_number_that_was_never_used_restarts_the_list,
    an_invalid_after_parameter_is_rejected,
    a_user_with_stale_tokens_is_listed_beside_the_sessions,
}

/// Returns a caller with a feed token, the token of a service that reads the list of revoked sessions.
fn service_caller(app: &App) -> Client {
    app.bearer(feed_token(app, app.secret()))
}

fn feed_token(app: &App, secret: &str) -> String {
    let keyring = Keyring::new(Secret::new(secret).unwrap());
    let feed_tokens = FeedTokens::new(keyring, "api-server").unwrap();
    feed_tokens.issue(app.clock.now()).unwrap()
}

/// Returns the ids of the sessions on this page of the list.
fn session_ids(page: &Value) -> Vec<&str> {
    let revocations = page["revocations"].as_array().unwrap();
    let ids = revocations
        .iter()
        .map(|revocation| revocation["sid"].as_str().unwrap());
    ids.collect()
}

async fn only_services_with_the_secret_may_read_the_list(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let response = app.anonymous().get(REVOCATIONS).await;
    response.problem(401, "UNAUTHORIZED");
    let forged_token = feed_token(&app, "another secret of at least 32 bytes");
    let access_token = Issuer::of(&app).issue("42", "ada@example.com");
    for token in [forged_token, access_token, device.access, device.refresh] {
        let response = app.bearer(token).get(REVOCATIONS).await;
        response.problem(401, "INVALID_TOKEN");
    }
    service_caller(&app).get(REVOCATIONS).await.ok();
    // `GET /api/auth/session` does not accept a feed token.
    let response = get_session(&app, &feed_token(&app, app.secret())).await;
    response.problem(401, "INVALID_TOKEN");
    let expired_token = feed_token(&app, app.secret());
    app.clock.advance(std::time::Duration::from_secs(65));
    let response = app.bearer(expired_token).get(REVOCATIONS).await;
    response.problem(401, "TOKEN_EXPIRED");
}

async fn a_service_with_a_derived_key_may_read_the_list(engine: Engine) {
    let app = App::on(engine).set("token-audiences", "reports").start();
    let read_list_as = async |audience| {
        let derived_secret = Secret::new(app.secret()).unwrap().for_audience(audience);
        let feed_tokens = FeedTokens::new(Keyring::new(derived_secret.unwrap()), "api-server");
        let feed_token = feed_tokens.unwrap().issue(app.clock.now()).unwrap();
        app.bearer(feed_token).get(REVOCATIONS).await
    };
    read_list_as("reports").await.ok();
    read_list_as("billing").await.problem(401, "INVALID_TOKEN");
}

async fn revocations_after_a_sequence_number_are_listed(app: App) {
    let (ada, first_device) = user_with_device(&app, "ada").await;
    let first_page = service_caller(&app).get(REVOCATIONS).await.ok();
    let second_device = login(&app, &ada).await;
    for device in [&first_device, &second_device] {
        assert_logged_out(by_access(&app, device, json!({})).await, 1);
    }
    let second_page_path = format!("{REVOCATIONS}?after={}", first_page["next"]);
    let second_page = service_caller(&app).get(&second_page_path).await.ok();
    assert_eq!(
        session_ids(&second_page),
        [&first_device.session, &second_device.session].map(String::as_str)
    );
    assert_eq!(second_page["more"], false);
    // An access token is valid for 15 minutes. The session stays in the list for 10 minutes more, because the clocks of
    // servers and services may differ.
    let now_seconds = app
        .clock
        .now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert_eq!(second_page["revocations"][0]["exp"], now_seconds + 25 * 60);
    let empty_page_path = format!("{REVOCATIONS}?after={}", second_page["next"]);
    let empty_page = service_caller(&app).get(&empty_page_path).await.ok();
    assert_eq!(
        empty_page,
        json!({ "revocations": [], "stale": [], "next": second_page["next"], "more": false })
    );
}

async fn a_page_has_at_most_a_thousand_revocations(app: App) {
    app.database().execute(
        "INSERT INTO revocations (sequence, session_id, forget_after)
         WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 1001)
         SELECT n, 'session ' || n, '2027-01-01 00:00:00' FROM number;
         UPDATE revocation_sequence SET last = 1001",
    );
    let first_page = service_caller(&app).get(REVOCATIONS).await.ok();
    assert_eq!(session_ids(&first_page).len(), 1000);
    assert_eq!(
        (&first_page["next"], &first_page["more"]),
        (&json!(1000), &json!(true))
    );
    let last_page = service_caller(&app)
        .get(&format!("{REVOCATIONS}?after=1000"))
        .await
        .ok();
    assert_eq!(session_ids(&last_page), ["session 1001"]);
    assert_eq!(
        (&last_page["next"], &last_page["more"]),
        (&json!(1001), &json!(false))
    );
}

async fn a_sequence_number_that_was_never_used_restarts_the_list(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    assert_logged_out(by_access(&app, &device, json!({})).await, 1);
    let first_page = service_caller(&app).get(REVOCATIONS).await.ok();
    let restarted_page = service_caller(&app)
        .get(&format!("{REVOCATIONS}?after=1000000"))
        .await
        .ok();
    assert_eq!(restarted_page, first_page);
    assert!(session_ids(&first_page).contains(&device.session.as_str()));
}

async fn an_invalid_after_parameter_is_rejected(app: App) {
    for (sequence_number, status, code) in [
        ("-1", 422, "VALIDATION_ERROR"),
        ("x", 400, "INVALID_REQUEST"),
        ("1.5", 400, "INVALID_REQUEST"),
        ("9223372036854775808", 400, "INVALID_REQUEST"),
    ] {
        let response = service_caller(&app)
            .get(&format!("{REVOCATIONS}?after={sequence_number}"))
            .await;
        response.problem(status, code);
        // The server authenticates the caller first. An anonymous caller does not learn whether the query is valid.
        let response = app
            .anonymous()
            .get(&format!("{REVOCATIONS}?after={sequence_number}"))
            .await;
        response.problem(401, "UNAUTHORIZED");
    }
}

async fn a_user_with_stale_tokens_is_listed_beside_the_sessions(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let command = ["users", "roles", ada.email(), "--add", "admin"];
    let before = service_caller(&app).get(REVOCATIONS).await.ok();
    assert!(app.another_process().run_command(&command).await);
    assert_logged_out(by_access(&app, &device, json!({})).await, 1);
    let path = format!("{REVOCATIONS}?after={}", before["next"]);
    let page = service_caller(&app).get(&path).await.ok();
    assert_eq!(page["revocations"][0]["sid"], device.session);
    let stale_user = &page["stale"][0];
    assert_eq!(stale_user["sub"], ada.id());
    assert_eq!(stale_user["claims_version"], 1);
    assert!(stale_user["exp"].as_u64().unwrap() > 0);
    // Revoked sessions and users with stale tokens share one sequence of numbers.
    assert_eq!(page["next"], before["next"].as_u64().unwrap() + 2);
    let lengths = ["revocations", "stale"].map(|name| page[name].as_array().unwrap().len());
    assert_eq!(lengths, [1, 1]);
}
