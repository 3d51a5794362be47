//! The requests of the table whose tokens lack a role, a scope or a custom claim.

use serde_json::{Value, json};

use super::{AUTHORIZATION, Case, RefusalResponse, Target, case, refusal};
use crate::fixtures::token_with_claims;

/// Returns a request for `target` with a valid token that has this claim.
fn case_with_claim(
    target: Target,
    claim: &str,
    value: Option<Value>,
    expected: RefusalResponse,
) -> Case {
    let name = format!("{target:?} with {claim} {value:?}");
    let bearer = format!("Bearer {}", token_with_claims(&[(claim, value)]));
    Case {
        target,
        ..case(&name, &[(AUTHORIZATION, &bearer)], expected)
    }
}

pub(super) fn role_cases() -> Vec<Case> {
    let detail = "The caller lacks a role that this resource requires";
    let missing_role = || refusal(403, "Forbidden", "FORBIDDEN", detail);
    let insufficient_roles = [
        (Target::AnyRole, None),
        (Target::AnyRole, Some(json!([]))),
        (Target::AnyRole, Some(json!(["reader", "admins"]))),
        (Target::EveryRole, None),
        (Target::EveryRole, Some(json!(["admin"]))),
        (Target::EveryRole, Some(json!(["editor", "reader"]))),
    ];
    insufficient_roles
        .map(|(target, roles)| case_with_claim(target, "roles", roles, missing_role()))
        .into()
}

pub(super) fn scope_cases() -> Vec<Case> {
    let detail = "The token lacks a scope that this resource requires";
    let challenge = r#"Bearer error="insufficient_scope", scope="tasks:read tasks:write""#;
    let insufficient_scope = || RefusalResponse {
        challenge: Some(challenge.to_owned()),
        ..refusal(403, "Forbidden", "INSUFFICIENT_SCOPE", detail)
    };
    let insufficient_scopes = [
        (Target::AnyScope, "account"),
        (Target::AnyScope, "tasks tasks:read:own"),
        (Target::EveryScope, "tasks:read"),
        (Target::EveryScope, "tasks:write account"),
    ];
    insufficient_scopes
        .map(|(target, scope)| {
            case_with_claim(target, "scope", Some(json!(scope)), insufficient_scope())
        })
        .into()
}

pub(super) fn custom_claim_cases() -> [Case; 2] {
    let detail = "The token lacks claims that this service requires";
    let expected = || refusal(403, "Forbidden", "FORBIDDEN", detail);
    [None, Some(json!(3))].map(|plan| case_with_claim(Target::Plan, "plan", plan, expected()))
}
