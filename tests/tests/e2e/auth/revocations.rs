//! `GET /api/auth/revocations`: the list of revoked sessions, for services that hold the secret.

use auth_core::revocation::FeedTokens;
use auth_core::{Keyring, Secret};
use e2e::{App, Client, Engine, Issuer, on_both_engines};
use serde_json::{Value, json};

use super::logout::{assert_logged_out, by_access};
use crate::sessions::fixtures::{get_session, login, user_with_device};

const REVOCATIONS: &str = "/api/auth/revocations";

on_both_engines! {
    only_holders_of_the_secret_may_read_the_list,
    a_service_with_a_derived_key_may_read_the_list,
    revocations_after_a_given_number_are_listed,
    a_page_has_at_most_a_thousand_revocations,
    a_number_from_before_a_backup_restarts_the_feed,
    an_invalid_after_parameter_is_rejected,
}

/// A service that holds the server's secret.
fn service(app: &App) -> Client {
    app.bearer(feed_token(app, app.secret()))
}

fn feed_token(app: &App, secret: &str) -> String {
    let keyring = Keyring::new(Secret::new(secret).unwrap());
    let tokens = FeedTokens::new(keyring, "api-server").unwrap();
    tokens.issue(app.clock.now()).unwrap()
}

/// The ids of the sessions on this page.
fn session_ids(page: &Value) -> Vec<&str> {
    let revocations = page["revocations"].as_array().unwrap();
    let ids = revocations
        .iter()
        .map(|revocation| revocation["sid"].as_str().unwrap());
    ids.collect()
}

async fn only_holders_of_the_secret_may_read_the_list(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let anonymous = app.anonymous().get(REVOCATIONS).await;
    anonymous.problem(401, "UNAUTHORIZED");
    let forged = feed_token(&app, "another secret of at least 32 bytes");
    let access = Issuer::of(&app).issue("42", "ada@example.com");
    for token in [forged, access, device.access, device.refresh] {
        let refused = app.bearer(token).get(REVOCATIONS).await;
        refused.problem(401, "INVALID_TOKEN");
    }
    service(&app).get(REVOCATIONS).await.ok();
    // No other route accepts a token for the feed.
    let session = get_session(&app, &feed_token(&app, app.secret())).await;
    session.problem(401, "INVALID_TOKEN");
    let expired = feed_token(&app, app.secret());
    app.clock.advance(std::time::Duration::from_secs(65));
    let refused = app.bearer(expired).get(REVOCATIONS).await;
    refused.problem(401, "TOKEN_EXPIRED");
}

async fn a_service_with_a_derived_key_may_read_the_list(engine: Engine) {
    let app = App::on(engine).set("token-audiences", "reports").start();
    let read_as = async |audience| {
        let derived = Secret::new(app.secret()).unwrap().for_audience(audience);
        let tokens = FeedTokens::new(Keyring::new(derived.unwrap()), "api-server");
        let token = tokens.unwrap().issue(app.clock.now()).unwrap();
        app.bearer(token).get(REVOCATIONS).await
    };
    read_as("reports").await.ok();
    read_as("billing").await.problem(401, "INVALID_TOKEN");
}

async fn revocations_after_a_given_number_are_listed(app: App) {
    let (ada, first) = user_with_device(&app, "ada").await;
    let before = service(&app).get(REVOCATIONS).await.ok();
    let second = login(&app, &ada).await;
    for device in [&first, &second] {
        assert_logged_out(by_access(&app, device, json!({})).await, 1);
    }
    let after = format!("{REVOCATIONS}?after={}", before["next"]);
    let page = service(&app).get(&after).await.ok();
    assert_eq!(
        session_ids(&page),
        [&first.session, &second.session].map(String::as_str)
    );
    assert_eq!(page["more"], false);
    // An access token is valid for 15 minutes; the list keeps its session 10 minutes longer, for clocks that differ.
    let now = app
        .clock
        .now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert_eq!(page["revocations"][0]["exp"], now + 25 * 60);
    let next = format!("{REVOCATIONS}?after={}", page["next"]);
    let empty = service(&app).get(&next).await.ok();
    assert_eq!(
        empty,
        json!({ "revocations": [], "next": page["next"], "more": false })
    );
}

async fn a_page_has_at_most_a_thousand_revocations(app: App) {
    app.database().execute(
        "INSERT INTO revocations (sequence, session_id, forget_after)
         WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 1001)
         SELECT n, 'session ' || n, '2027-01-01 00:00:00' FROM number;
         UPDATE revocation_sequence SET last = 1001",
    );
    let page = service(&app).get(REVOCATIONS).await.ok();
    assert_eq!(session_ids(&page).len(), 1000);
    assert_eq!((&page["next"], &page["more"]), (&json!(1000), &json!(true)));
    let rest = service(&app)
        .get(&format!("{REVOCATIONS}?after=1000"))
        .await
        .ok();
    assert_eq!(session_ids(&rest), ["session 1001"]);
    assert_eq!(
        (&rest["next"], &rest["more"]),
        (&json!(1001), &json!(false))
    );
}

async fn a_number_from_before_a_backup_restarts_the_feed(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    assert_logged_out(by_access(&app, &device, json!({})).await, 1);
    let all = service(&app).get(REVOCATIONS).await.ok();
    let ahead = service(&app)
        .get(&format!("{REVOCATIONS}?after=1000000"))
        .await
        .ok();
    assert_eq!(ahead, all);
    assert!(session_ids(&all).contains(&device.session.as_str()));
}

async fn an_invalid_after_parameter_is_rejected(app: App) {
    for (after, status, code) in [
        ("-1", 422, "VALIDATION_ERROR"),
        ("x", 400, "INVALID_REQUEST"),
        ("1.5", 400, "INVALID_REQUEST"),
        ("9223372036854775808", 400, "INVALID_REQUEST"),
    ] {
        let response = service(&app)
            .get(&format!("{REVOCATIONS}?after={after}"))
            .await;
        response.problem(status, code);
        // Authentication comes first: an anonymous caller does not learn whether the query is valid.
        let refused = app
            .anonymous()
            .get(&format!("{REVOCATIONS}?after={after}"))
            .await;
        refused.problem(401, "UNAUTHORIZED");
    }
}
