//! Tests the claim `roles` (RFC 9068 § 2.2.3.1) and the type [`Roles`].

use auth_core::{Caller, Error, Roles};
use proptest::prelude::*;

use crate::fixtures::Payload;

const INVALID_ROLES: Result<(), Error> = Err(Error::InvalidClaim("roles"));

/// Verifies a token with this value of `roles`, as JSON. Returns the names.
fn verify_roles(value: &str) -> Result<Vec<String>, Error> {
    let claims = Payload::valid().with("roles", value).verify()?;
    Ok(claims.roles.iter().map(ToOwned::to_owned).collect())
}

/// Returns a JSON array of this number of different names.
fn json_names(count: usize) -> String {
    let names: Vec<String> = (0..count).map(|number| format!("\"r{number}\"")).collect();
    format!("[{}]", names.join(","))
}

#[test]
fn a_token_without_roles_has_none() {
    let claims = Payload::valid().verify().unwrap();
    assert!(claims.roles.is_empty() && !claims.has_role("admin"));
    assert!(Caller::from(claims).roles.is_empty());
    assert_eq!(verify_roles("[]"), Ok(vec![]));
}

#[test]
fn roles_are_returned_in_their_order() {
    let names = verify_roles(r#"["editor","admin","a.b_c:d-9"]"#);
    assert_eq!(names.unwrap(), ["editor", "admin", "a.b_c:d-9"]);
    assert_eq!(verify_roles(r#"["\u0061dmin"]"#).unwrap(), ["admin"]);
}

#[test]
fn claims_and_callers_have_exactly_the_roles_of_the_token() {
    let claims = Payload::valid().with("roles", r#"["admin","editor"]"#);
    let claims = claims.verify().unwrap();
    let caller = Caller::from(claims.clone());
    for (role, expected) in [
        ("admin", true),
        ("editor", true),
        ("", false),
        (" ", false),
        ("Admin", false),
        ("admi", false),
        ("admins", false),
        ("dmin", false),
        ("admin editor", false),
        ("admin ", false),
        ("*", false),
    ] {
        assert_eq!(claims.has_role(role), expected, "{role:?}");
        assert_eq!(caller.has_role(role), expected, "{role:?}");
        assert_eq!(caller.require_role(role).is_ok(), expected, "{role:?}");
    }
}

#[test]
fn an_empty_set_has_no_role_with_an_empty_name() {
    let claims = Payload::valid().verify().unwrap();
    assert!(!claims.has_role("") && !claims.has_role(" "));
}

#[test]
fn roles_of_another_type_are_rejected() {
    for value in [
        "null",
        "true",
        "1",
        r#""admin""#,
        r#""""#,
        "{}",
        r#"{"admin":true}"#,
        "[1]",
        "[null]",
        r#"["admin",1]"#,
        r#"[["admin"]]"#,
        r#"[{"name":"admin"}]"#,
        r#"["\ud800"]"#,
    ] {
        assert_eq!(verify_roles(value).map(drop), INVALID_ROLES, "{value}");
    }
}

#[test]
fn a_name_has_1_to_64_of_the_allowed_characters() {
    for (length, expected) in [
        (0, INVALID_ROLES),
        (1, Ok(())),
        (63, Ok(())),
        (64, Ok(())),
        (65, INVALID_ROLES),
    ] {
        let value = format!(r#"["{}"]"#, "x".repeat(length));
        assert_eq!(verify_roles(&value).map(drop), expected, "{length}");
    }
    for byte in 0..=127_u8 {
        let name = char::from(byte).to_string();
        let value = serde_json::to_string(&[&name]).unwrap();
        let is_allowed = byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_allowed = is_allowed || b"._:-".contains(&byte);
        assert_eq!(verify_roles(&value).is_ok(), is_allowed, "{name:?}");
    }
    for name in ["é", "ａ", "a\u{301}", "a b", "a,b", " a", "a\\n"] {
        let value = format!(r#"["{name}"]"#);
        assert_eq!(verify_roles(&value).map(drop), INVALID_ROLES, "{name}");
    }
}

#[test]
fn there_are_at_most_32_different_roles() {
    for (count, expected) in [(31, Ok(31)), (32, Ok(32)), (33, Err(()))] {
        let names = verify_roles(&json_names(count));
        assert_eq!(names.map(|names| names.len()).map_err(drop), expected);
    }
    for value in [r#"["a","a"]"#, r#"["a","b","a"]"#, r#"["a","\u0061"]"#] {
        assert_eq!(verify_roles(value).map(drop), INVALID_ROLES, "{value}");
    }
    assert!(verify_roles(r#"["a","aa","b:a","a-"]"#).is_ok());
}

#[test]
fn the_longest_set_is_accepted() {
    let names: Vec<String> = (10..42)
        .map(|number| format!("{number}{}", "x".repeat(62)))
        .collect();
    let value = serde_json::to_string(&names).unwrap();
    assert_eq!(verify_roles(&value), Ok(names));
}

#[test]
fn the_constructor_and_the_parser_have_the_same_rules() {
    let long_name = "x".repeat(65);
    for names in [
        vec![],
        vec!["admin"],
        vec!["admin", "editor"],
        vec![""],
        vec!["Admin"],
        vec!["a", "a"],
        vec!["a b"],
        vec![long_name.as_str()],
    ] {
        let value = serde_json::to_string(&names).unwrap();
        let result = Roles::new(&names);
        assert_eq!(result.is_ok(), verify_roles(&value).is_ok(), "{names:?}");
        if let Err(error) = result {
            assert!(matches!(error, Error::UnacceptableClaims(_)));
            assert_eq!((error.status(), error.code()), (422, "VALIDATION_ERROR"));
        }
    }
}

#[test]
fn debug_output_and_json_are_the_list_of_names() {
    let roles = Roles::new(["b", "a"]).unwrap();
    assert_eq!(format!("{roles:?}"), r#"["b", "a"]"#);
    assert_eq!(serde_json::to_string(&roles).unwrap(), r#"["b","a"]"#);
    let parsed: Roles = serde_json::from_str(r#"["b","a"]"#).unwrap();
    assert_eq!((parsed.len(), parsed), (2, roles));
}

proptest! {
    #[test]
    fn valid_names_are_returned_and_found(names in proptest::collection::hash_set("[a-z0-9._:-]{1,64}", 0..=32)) {
        let names: Vec<String> = names.into_iter().collect();
        let roles = Roles::new(&names).unwrap();
        prop_assert_eq!(roles.iter().collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
        prop_assert!(names.iter().all(|name| roles.contains(name)));
        prop_assert_eq!((roles.len(), roles.is_empty()), (names.len(), names.is_empty()));
        prop_assert_eq!(verify_roles(&serde_json::to_string(&roles).unwrap()), Ok(names));
    }

    #[test]
    fn a_name_that_was_not_added_is_not_found(names in proptest::collection::hash_set("[a-c]{1,3}", 0..=8), other in "[a-c ]{0,4}") {
        let roles = Roles::new(&names).unwrap();
        prop_assert_eq!(roles.contains(&other), names.contains(&other));
    }
}
