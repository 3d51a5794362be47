//! Tests the commands `users roles` and `users claims`, and the tokens that become stale with a change.

use std::time::Duration;

use auth_core::{Claims, Keyring, Secret, TokenVerifier};
use e2e::{App, Client, on_both_engines};
use serde_json::{Value, json};

use crate::sessions::fixtures::{
    Device, MAX_REVOCATION_DELAY, get_session, login, refresh, refreshed, until_rejected,
    user_with_device,
};

on_both_engines! {
    a_role_is_in_the_next_token_and_earlier_tokens_are_stale_in_every_process,
    a_removed_role_makes_tokens_stale_within_two_seconds_and_ends_no_session,
    a_refresh_that_is_repeated_after_a_change_gets_a_token_that_is_not_stale,
    a_change_that_changes_nothing_makes_no_token_stale,
    custom_claims_are_in_the_next_token,
    an_unacceptable_change_changes_nothing,
    parallel_changes_of_roles_are_all_kept,
    the_tokens_of_other_users_are_not_stale,
    a_stale_token_can_still_log_out,
    better_auth_shows_the_roles_separated_by_commas,
    the_roles_of_a_deleted_user_are_gone,
}

async fn change(app: &App, arguments: &[&str]) -> bool {
    let command = [&["users"], arguments].concat();
    app.another_process().run_command(&command).await
}

pub(super) fn claims_of(app: &App, token: &str) -> Claims {
    let keyring = Keyring::new(Secret::new(app.secret()).unwrap());
    let verifier = TokenVerifier::new(keyring, "api-server", "api").unwrap();
    let verifier = verifier.with_custom_claims();
    verifier.verify(token, app.clock.now()).unwrap()
}

fn roles_of(app: &App, device: &Device) -> Vec<String> {
    let claims = claims_of(app, &device.access);
    claims.roles.iter().map(ToOwned::to_owned).collect()
}

async fn a_role_is_in_the_next_token_and_earlier_tokens_are_stale_in_every_process(node_a: App) {
    let node_b = node_a.another_process().start();
    let (ada, device) = user_with_device(&node_a, "ada").await;
    assert!(roles_of(&node_a, &device).is_empty());
    let arguments = ["roles", ada.email(), "--add", "editor", "--add", "admin"];
    assert!(change(&node_a, &arguments).await);
    for node in [&node_a, &node_b] {
        until_rejected(node, &device.access, "TOKEN_STALE").await;
    }
    let device = refreshed(&node_b, &device).await;
    assert_eq!(roles_of(&node_a, &device), ["admin", "editor"]);
    for node in [&node_a, &node_b] {
        let session = get_session(node, &device.access).await.ok();
        assert_eq!(session["user"]["roles"], json!(["admin", "editor"]));
    }
    let account = node_a.bearer(device.access.as_str());
    let account = account.get("/api/auth/account").await.ok();
    assert_eq!(account["roles"], json!(["admin", "editor"]));
    assert!(account.get("custom_claims").is_none());
}

async fn a_removed_role_makes_tokens_stale_within_two_seconds_and_ends_no_session(node_a: App) {
    let node_b = node_a.another_process().start();
    let (ada, _) = user_with_device(&node_a, "ada").await;
    assert!(change(&node_a, &["roles", ada.email(), "--add", "admin"]).await);
    for _ in 0..3 {
        let device = login(&node_b, &ada).await;
        assert_eq!(roles_of(&node_a, &device), ["admin"]);
        get_session(&node_b, &device.access).await.ok();
        assert!(change(&node_a, &["roles", ada.email(), "--remove", "admin"]).await);
        let delays = tokio::join!(
            until_rejected(&node_a, &device.access, "TOKEN_STALE"),
            until_rejected(&node_b, &device.access, "TOKEN_STALE"),
        );
        assert!(delays.0.max(delays.1) < MAX_REVOCATION_DELAY, "{delays:?}");
        let device = refreshed(&node_a, &device).await;
        assert!(roles_of(&node_a, &device).is_empty());
        for node in [&node_a, &node_b] {
            get_session(node, &device.access).await.ok();
        }
        assert!(change(&node_a, &["roles", ada.email(), "--add", "admin"]).await);
    }
}

/// A client that lost the response repeats the refresh, and gets a token with the `iat` of the lost token.
async fn a_refresh_that_is_repeated_after_a_change_gets_a_token_that_is_not_stale(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let lost = refreshed(&app, &device).await;
    assert!(change(&app, &["roles", ada.email(), "--add", "admin"]).await);
    until_rejected(&app, &lost.access, "TOKEN_STALE").await;
    app.clock.advance(Duration::from_secs(5));
    let repeated = Device::from_response(&refresh(&app, &device.refresh).await.ok());
    get_session(&app, &repeated.access).await.ok();
    let (lost, repeated) = (
        claims_of(&app, &lost.access),
        claims_of(&app, &repeated.access),
    );
    assert_eq!(lost.iat, repeated.iat);
    assert_ne!(lost.jti, repeated.jti);
    assert!(repeated.has_role("admin"));
}

async fn a_change_that_changes_nothing_makes_no_token_stale(app: App) {
    let (ada, _) = user_with_device(&app, "ada").await;
    assert!(change(&app, &["roles", ada.email(), "--add", "admin"]).await);
    assert!(change(&app, &["claims", ada.email(), "--set", "plan=pro"]).await);
    let device = login(&app, &ada).await;
    let newest = || app.database().value("SELECT last FROM revocation_sequence");
    let newest_before = newest();
    for arguments in [
        &["roles", ada.email()][..],
        &["roles", ada.email(), "--add", "admin", "--remove", "absent"],
        &["claims", ada.email()],
        &[
            "claims",
            ada.email(),
            "--set",
            "plan=pro",
            "--remove",
            "absent",
        ],
    ] {
        assert!(change(&app, arguments).await);
    }
    assert_eq!(newest(), newest_before);
    get_session(&app, &device.access).await.ok();
}

async fn custom_claims_are_in_the_next_token(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let set = [
        "claims",
        ada.email(),
        "--set",
        "plan=pro",
        "--set",
        "seats=3",
    ];
    assert!(change(&app, &set).await);
    until_rejected(&app, &device.access, "TOKEN_STALE").await;
    let device = refreshed(&app, &device).await;
    let claims: Value = claims_of(&app, &device.access).custom().unwrap();
    assert_eq!(claims, json!({ "plan": "pro", "seats": 3 }));
    assert!(change(&app, &["claims", ada.email(), "--remove", "plan"]).await);
    until_rejected(&app, &device.access, "TOKEN_STALE").await;
    let device = refreshed(&app, &device).await;
    let claims: Value = claims_of(&app, &device.access).custom().unwrap();
    assert_eq!(claims, json!({ "seats": 3 }));
}

async fn an_unacceptable_change_changes_nothing(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let email = ada.email();
    let too_long = format!("a={}", "x".repeat(1020));
    for arguments in [
        &["roles", "nobody@example.com", "--add", "admin"][..],
        &["roles", "not an address", "--add", "admin"],
        &["roles", email, "--add", "Admin"],
        &["roles", email, "--add", "good", "--add", "not good"],
        &["claims", email, "--set", "sub=1"],
        &["claims", email, "--set", "roles=[\"admin\"]"],
        &["claims", email, "--set", &too_long],
        &["claims", email, "--set", "plan"],
    ] {
        assert!(!change(&app, arguments).await, "{arguments:?}");
    }
    let query = "SELECT COUNT(*) FROM users WHERE roles IS NULL AND custom_claims IS NULL";
    assert_eq!(app.database().value(query).as_deref(), Some("1"));
    get_session(&app, &device.access).await.ok();
}

async fn parallel_changes_of_roles_are_all_kept(app: App) {
    let (ada, _) = user_with_device(&app, "ada").await;
    let names: Vec<String> = (0..8).map(|number| format!("role{number}")).collect();
    let add = |name: String| {
        let (options, email) = (app.another_process(), ada.email().to_owned());
        tokio::spawn(async move {
            let command = ["users", "roles", email.as_str(), "--add", name.as_str()];
            options.run_command(&command).await
        })
    };
    let running: Vec<_> = names.iter().cloned().map(add).collect();
    for command in running {
        assert!(command.await.unwrap());
    }
    let device = login(&app, &ada).await;
    assert_eq!(roles_of(&app, &device), names);
    assert_eq!(claims_of(&app, &device.access).claims_version, 8);
}

async fn the_tokens_of_other_users_are_not_stale(app: App) {
    let (ada, ada_device) = user_with_device(&app, "ada").await;
    let (_, bob_device) = user_with_device(&app, "bob").await;
    assert!(change(&app, &["roles", ada.email(), "--add", "admin"]).await);
    until_rejected(&app, &ada_device.access, "TOKEN_STALE").await;
    get_session(&app, &bob_device.access).await.ok();
}

async fn a_stale_token_can_still_log_out(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let other_device = login(&app, &ada).await;
    assert!(change(&app, &["roles", ada.email(), "--add", "admin"]).await);
    until_rejected(&app, &device.access, "TOKEN_STALE").await;
    let caller = app.bearer(device.access.as_str());
    // Like an expired token, a stale one ends only its own session.
    let logout = caller
        .post("/api/auth/logout", json!({ "scope": "all" }))
        .await
        .ok();
    assert_eq!(logout["revoked"], 1);
    refresh(&app, &device.refresh)
        .await
        .problem(401, "SESSION_EXPIRED");
    refreshed(&app, &other_device).await;
}

/// Signs in with Better Auth's API, and returns the user in the response of `get-session`.
async fn better_auth_user(app: &App, ada: &Client) -> Value {
    let body = json!({ "email": ada.email(), "password": ada.password() });
    let sign_in = app
        .anonymous()
        .post("/api/auth/sign-in/email", body)
        .await
        .ok();
    let caller = app.bearer(sign_in["token"].as_str().unwrap());
    caller.get("/api/auth/get-session").await.ok()["user"].clone()
}

async fn better_auth_shows_the_roles_separated_by_commas(app: App) {
    let (ada, _) = user_with_device(&app, "ada").await;
    assert!(better_auth_user(&app, &ada).await.get("role").is_none());
    let arguments = ["roles", ada.email(), "--add", "editor", "--add", "admin"];
    assert!(change(&app, &arguments).await);
    assert_eq!(better_auth_user(&app, &ada).await["role"], "admin,editor");
}

async fn the_roles_of_a_deleted_user_are_gone(app: App) {
    let (ada, _) = user_with_device(&app, "ada").await;
    assert!(change(&app, &["roles", ada.email(), "--add", "admin"]).await);
    let device = login(&app, &ada).await;
    let caller = app.bearer(device.access.as_str());
    let deletion = caller.delete("/api/auth/account");
    deletion
        .body(json!({ "password": ada.password() }))
        .await
        .ok();
    let body = json!({ "email": ada.email(), "password": ada.password() });
    let registered = app
        .anonymous()
        .post("/api/auth/register", body)
        .await
        .created();
    assert_eq!(registered["user"]["roles"], json!([]));
}
