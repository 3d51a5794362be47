//! Tests which callers the guards `RequireRole` and `RequireScope` let through. `tests/adapters` tests them in the
//! frameworks.

use auth_core::{Caller, Error, RequireRole, RequireScope, Roles, Scope};
use proptest::prelude::*;

fn caller(roles: &[&str], scope: Option<&str>) -> Caller {
    let mut caller = Caller::new("42".to_owned(), 0);
    caller.roles = Roles::new(roles).unwrap();
    caller.scope = scope.map(|text| Scope::new(text).unwrap());
    caller
}

#[test]
fn a_caller_needs_one_or_all_of_the_roles() {
    let one = RequireRole::new("admin").unwrap();
    let any = RequireRole::any_of(["admin", "editor"]).unwrap();
    let all = RequireRole::all_of(["admin", "editor"]).unwrap();
    for (roles, has_one, has_any, has_all) in [
        (&[] as &[&str], false, false, false),
        (&["reader"], false, false, false),
        (&["editor"], false, true, false),
        (&["admin"], true, true, false),
        (&["editor", "x", "admin"], true, true, true),
        (&["admins", "editors"], false, false, false),
    ] {
        let caller = caller(roles, None);
        assert_eq!(one.check(&caller).is_ok(), has_one, "{roles:?}");
        assert_eq!(any.check(&caller).is_ok(), has_any, "{roles:?}");
        assert_eq!(all.check(&caller).is_ok(), has_all, "{roles:?}");
    }
}

#[test]
fn a_caller_needs_one_or_all_of_the_scopes_unless_the_token_has_none() {
    let one = RequireScope::new("a").unwrap();
    let any = RequireScope::any_of(["a", "b"]).unwrap();
    let all = RequireScope::all_of(["a", "b"]).unwrap();
    for (scope, has_one, has_any, has_all) in [
        (None, true, true, true),
        (Some("c"), false, false, false),
        (Some("b"), false, true, false),
        (Some("a"), true, true, false),
        (Some("b c a"), true, true, true),
        (Some("ab"), false, false, false),
    ] {
        let caller = caller(&[], scope);
        assert_eq!(one.check(&caller).is_ok(), has_one, "{scope:?}");
        assert_eq!(any.check(&caller).is_ok(), has_any, "{scope:?}");
        assert_eq!(all.check(&caller).is_ok(), has_all, "{scope:?}");
    }
}

#[test]
fn a_missing_role_is_a_403_without_a_challenge() {
    let refusal = RequireRole::new("admin")
        .unwrap()
        .check(&caller(&[], None))
        .unwrap_err();
    assert_eq!((refusal.status(), refusal.code()), (403, "FORBIDDEN"));
    assert_eq!(refusal.headers().count(), 0);
    assert!(!refusal.body().contains("admin"), "{}", refusal.body());
}

#[test]
fn a_missing_scope_is_a_403_with_the_required_scope() {
    for guard in [
        RequireScope::any_of(["tasks:read", "tasks:write"]).unwrap(),
        RequireScope::all_of(["tasks:read", "tasks:write"]).unwrap(),
    ] {
        let refusal = guard.check(&caller(&[], Some("account"))).unwrap_err();
        assert_eq!(
            (refusal.status(), refusal.code()),
            (403, "INSUFFICIENT_SCOPE")
        );
        assert_eq!(
            refusal.www_authenticate().as_deref(),
            Some(r#"Bearer error="insufficient_scope", scope="tasks:read tasks:write""#)
        );
        assert_eq!(refusal.headers().count(), 1);
    }
}

#[test]
fn a_guard_that_requires_nothing_or_an_invalid_name_is_an_error_of_the_service() {
    let too_many: Vec<String> = (0..65).map(|number| number.to_string()).collect();
    let too_many: Vec<&str> = too_many.iter().map(String::as_str).collect();
    for names in [
        &[] as &[&str],
        &[""],
        &["a b"],
        &["a", ""],
        &["é"],
        &too_many,
    ] {
        for result in [RequireRole::any_of(names), RequireRole::all_of(names)] {
            assert!(matches!(result, Err(Error::InvalidSetting(_))), "{names:?}");
        }
        for result in [RequireScope::any_of(names), RequireScope::all_of(names)] {
            assert!(matches!(result, Err(Error::InvalidSetting(_))), "{names:?}");
        }
    }
    assert!(RequireRole::any_of(["a", "a"]).is_err());
    assert!(RequireRole::new("Admin").is_err() && RequireScope::new("").is_err());
}

proptest! {
    #[test]
    fn the_guards_agree_with_sets(
        required in proptest::collection::btree_set("[a-e]", 1..4),
        held in proptest::collection::btree_set("[a-e]", 0..5),
    ) {
        let names: Vec<&str> = held.iter().map(String::as_str).collect();
        let caller = caller(&names, (!names.is_empty()).then(|| names.join(" ")).as_deref());
        let has_any = !required.is_disjoint(&held);
        let has_all = required.is_subset(&held);
        prop_assert_eq!(RequireRole::any_of(&required).unwrap().check(&caller).is_ok(), has_any);
        prop_assert_eq!(RequireRole::all_of(&required).unwrap().check(&caller).is_ok(), has_all);
        if !held.is_empty() {
            prop_assert_eq!(RequireScope::any_of(&required).unwrap().check(&caller).is_ok(), has_any);
            prop_assert_eq!(RequireScope::all_of(&required).unwrap().check(&caller).is_ok(), has_all);
        }
    }
}
