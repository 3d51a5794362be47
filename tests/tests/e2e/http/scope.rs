//! Tests that every endpoint requires the scope that the OpenAPI document names.

use auth_core::Scope;
use e2e::{App, Issuer, on_both_engines};
use serde_json::json;

use crate::operations::{Operation, protected};

on_both_engines! {
    every_endpoint_rejects_a_token_with_all_other_scopes,
    every_endpoint_accepts_a_token_with_only_its_scope,
    a_limited_token_logs_out_only_with_the_scope_sessions,
    a_scope_gives_no_access_to_the_tasks_of_another_user,
}

const SCOPES: [&str; 5] = [
    "tasks:read",
    "tasks:write",
    "account:read",
    "account:write",
    "sessions",
];

/// Issues a token for this user that is limited to these scopes.
fn limited_token(app: &App, user_id: &str, scopes: &[&str]) -> String {
    let mut issuer = Issuer::of(app);
    issuer.scope = Some(Scope::from_names(scopes).unwrap());
    issuer.issue(user_id, "ada@example.com")
}

/// Returns the operations that require a scope, with the scope.
async fn scoped(app: &App) -> Vec<(Operation, String)> {
    let operations = protected(app).await;
    let with_scope = operations.into_iter().filter_map(|operation| {
        let scope = operation.scope.clone()?;
        Some((operation, scope))
    });
    with_scope.collect()
}

async fn every_endpoint_rejects_a_token_with_all_other_scopes(app: App) {
    let ada = app.user("ada").await;
    for (operation, scope) in scoped(&app).await {
        assert!(SCOPES.contains(&scope.as_str()), "{scope}");
        let others: Vec<_> = SCOPES.into_iter().filter(|name| *name != scope).collect();
        let caller = app.bearer(limited_token(&app, ada.id(), &others));
        let response = operation.request(&caller, ada.id()).await;
        let challenge = response.header("www-authenticate").unwrap().to_owned();
        assert!(
            challenge.contains(r#"error="insufficient_scope""#),
            "{challenge}"
        );
        assert!(
            challenge.contains(&format!(r#"scope="{scope}""#)),
            "{challenge}"
        );
        response.problem(403, "INSUFFICIENT_SCOPE");
    }
}

async fn every_endpoint_accepts_a_token_with_only_its_scope(app: App) {
    let ada = app.user("ada").await;
    let operations = scoped(&app).await;
    let unscoped_count = protected(&app).await.len() - operations.len();
    assert_eq!(
        unscoped_count, 2,
        "only the exchange of tokens and the session need no scope"
    );
    for (operation, scope) in operations {
        let caller = app.bearer(limited_token(&app, ada.id(), &[&scope]));
        let response = operation.request(&caller, ada.id()).await;
        let challenge = response.header("www-authenticate").unwrap_or_default();
        assert!(!challenge.contains("insufficient_scope"), "{operation:?}");
    }
}

async fn a_limited_token_logs_out_only_with_the_scope_sessions(app: App) {
    let ada = app.user("ada").await;
    let logout = |scope: &str| {
        let caller = app.bearer(limited_token(&app, ada.id(), &[scope]));
        caller.post("/api/auth/logout", json!({ "scope": "all" }))
    };
    for scope in ["tasks:read", "account:write"] {
        logout(scope).await.problem(403, "INSUFFICIENT_SCOPE");
    }
    ada.get("/api/auth/session").await.ok();
    logout("sessions").await.ok();
}

async fn a_scope_gives_no_access_to_the_tasks_of_another_user(app: App) {
    let (ada, bob) = (app.user("ada").await, app.user("bob").await);
    let caller = app.bearer(limited_token(&app, ada.id(), &["tasks:read"]));
    caller.get(&bob.tasks()).await.problem(403, "FORBIDDEN");
    let response = caller.post(&bob.tasks(), json!({ "title": "x" })).await;
    response.problem(403, "INSUFFICIENT_SCOPE");
    caller.get(&ada.tasks()).await.ok();
}
