//! `GET /api/auth/revocations`: the revoked sessions, for services that hold the secret.

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
    app.bearer(token(app, app.secret()))
}

fn token(app: &App, secret: &str) -> String {
    let keyring = Keyring::new(Secret::new(secret).unwrap());
    let tokens = FeedTokens::new(keyring, "api-server").unwrap();
    tokens.issue(app.clock.now()).unwrap()
}

fn ended(page: &Value) -> Vec<&str> {
    let sessions = page["revocations"].as_array().unwrap();
    let ids = sessions.iter().map(|ended| ended["sid"].as_str().unwrap());
    ids.collect()
}

async fn only_holders_of_the_secret_may_read_the_list(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let anonymous = app.anonymous().get(REVOCATIONS).await;
    anonymous.problem(401, "UNAUTHORIZED");
    let forged = token(&app, "another secret of at least 32 bytes");
    let access = Issuer::of(&app).issue("42", "ada@example.com");
    for refused in [forged, access, device.access, device.refresh] {
        let response = app.bearer(refused).get(REVOCATIONS).await;
        response.problem(401, "INVALID_TOKEN");
    }
    service(&app).get(REVOCATIONS).await.ok();
    // The feed's token is accepted by no other route.
    let session = get_session(&app, &token(&app, app.secret())).await;
    session.problem(401, "INVALID_TOKEN");
    let old = token(&app, app.secret());
    app.clock.advance(std::time::Duration::from_secs(65));
    let late = app.bearer(old).get(REVOCATIONS).await;
    late.problem(401, "TOKEN_EXPIRED");
}

async fn a_service_with_a_derived_key_may_read_the_list(engine: Engine) {
    let app = App::on(engine).set("token-audiences", "reports").start();
    let ask = async |audience| {
        let own = Secret::new(app.secret()).unwrap().for_audience(audience);
        let tokens = FeedTokens::new(Keyring::new(own.unwrap()), "api-server");
        let token = tokens.unwrap().issue(app.clock.now()).unwrap();
        app.bearer(token).get(REVOCATIONS).await
    };
    ask("reports").await.ok();
    ask("billing").await.problem(401, "INVALID_TOKEN");
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
        ended(&page),
        [&first.session, &second.session].map(String::as_str)
    );
    assert_eq!(page["more"], false);
    // The last token of a session lives 15 minutes, plus 10 minutes for clocks that differ.
    let now = app
        .clock
        .now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    assert_eq!(page["revocations"][0]["exp"], now + 25 * 60);
    let next = format!("{REVOCATIONS}?after={}", page["next"]);
    let nothing = service(&app).get(&next).await.ok();
    assert_eq!(
        nothing,
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
    assert_eq!(ended(&page).len(), 1000);
    assert_eq!((&page["next"], &page["more"]), (&json!(1000), &json!(true)));
    let rest = service(&app)
        .get(&format!("{REVOCATIONS}?after=1000"))
        .await
        .ok();
    assert_eq!(ended(&rest), ["session 1001"]);
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
    assert!(ended(&all).contains(&device.session.as_str()));
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
        // An unauthorized caller learns nothing about the query's validity.
        let refused = app
            .anonymous()
            .get(&format!("{REVOCATIONS}?after={after}"))
            .await;
        refused.problem(401, "UNAUTHORIZED");
    }
}
