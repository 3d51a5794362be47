//! Tests the claim `scope` (RFC 6749 § 3.3) and the type [`Scope`].

use auth_core::{Caller, Error, Scope};
use proptest::prelude::*;

use crate::fixtures::Payload;

/// Verifies a token with this value of `scope`, as JSON. Returns the text.
fn verify_scope(value: &str) -> Result<String, Error> {
    let claims = Payload::valid().with("scope", value).verify()?;
    Ok(claims.scope.unwrap().as_str().to_owned())
}

fn verify_scope_text(text: &str) -> Result<String, Error> {
    verify_scope(&serde_json::to_string(text).unwrap())
}

fn names(count: usize) -> String {
    let names: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    names.join(" ")
}

#[test]
fn a_token_without_a_scope_may_be_used_for_everything() {
    let claims = Payload::valid().verify().unwrap();
    assert_eq!(claims.scope, None);
    assert!(claims.has_scope("tasks:write"));
    let caller = Caller::from(claims);
    assert!(caller.has_scope("tasks:write"));
    let scope = Scope::new("tasks:read tasks:write").unwrap();
    assert_eq!(caller.require_scope(&scope), Ok(()));
}

#[test]
fn a_token_may_be_used_for_exactly_the_names_in_its_scope() {
    let payload = Payload::valid().with("scope", r#""tasks:read account""#);
    let claims = payload.verify().unwrap();
    let caller = Caller::from(claims.clone());
    for (name, expected) in [
        ("tasks:read", true),
        ("account", true),
        ("tasks:write", false),
        ("tasks", false),
        ("account:read", false),
        ("Account", false),
        ("", false),
        (" ", false),
        ("tasks:read account", false),
        ("*", false),
    ] {
        assert_eq!(claims.has_scope(name), expected, "{name:?}");
        assert_eq!(caller.has_scope(name), expected, "{name:?}");
    }
    for (required, expected) in [
        ("account", true),
        ("account tasks:read", true),
        ("account tasks:write", false),
    ] {
        let required = Scope::new(required).unwrap();
        assert_eq!(caller.require_scope(&required).is_ok(), expected);
    }
}

#[test]
fn a_scope_of_another_type_is_rejected() {
    for value in ["null", "true", "1", "[]", r#"["tasks:read"]"#, "{}"] {
        assert_eq!(
            verify_scope(value),
            Err(Error::InvalidClaim("scope")),
            "{value}"
        );
    }
}

#[test]
fn a_scope_follows_the_grammar() {
    for text in [
        "a",
        "a b",
        "!",
        "~",
        "a/b?c=d#e",
        "https://example.com/x",
        "a a",
        "[]",
    ] {
        assert_eq!(verify_scope_text(text).as_deref(), Ok(text));
    }
    for text in [
        "", " ", " a", "a ", "a  b", "a\tb", "a\nb", "\ta", "a\"b", "a\\b", "a\u{7f}b", "é",
        "a\u{a0}b", "a\0b",
    ] {
        let expected = Err(Error::InvalidClaim("scope"));
        assert_eq!(verify_scope_text(text), expected, "{text:?}");
        let error = Scope::new(text).unwrap_err();
        assert!(matches!(error, Error::UnacceptableClaims(_)), "{text:?}");
        assert_eq!((error.status(), error.code()), (422, "VALIDATION_ERROR"));
    }
}

#[test]
fn a_scope_has_at_most_64_names_and_1024_bytes() {
    for (count, is_accepted) in [(63, true), (64, true), (65, false), (1000, false)] {
        let result = verify_scope_text(&names(count));
        assert_eq!(result.is_ok(), is_accepted, "{count} names");
    }
    for (length, is_accepted) in [(1023, true), (1024, true), (1025, false)] {
        let result = verify_scope_text(&"x".repeat(length));
        assert_eq!(result.is_ok(), is_accepted, "{length} bytes");
    }
}

#[test]
fn a_scope_of_names_is_their_text() {
    let scope = Scope::from_names(["tasks:read", "account"]).unwrap();
    assert_eq!(scope.to_string(), "tasks:read account");
    assert_eq!("tasks:read account".parse(), Ok(scope));
    for names in [&[] as &[&str], &[""], &["a", ""], &["a b"], &[" a"]] {
        assert!(Scope::from_names(names).is_err(), "{names:?}");
    }
}

#[test]
fn a_subset_has_no_name_that_the_other_scope_does_not_have() {
    for (scope, other, expected) in [
        ("a", "a", true),
        ("b a", "a b c", true),
        ("a a", "a", true),
        ("a b", "a", false),
        ("ab", "a b", false),
    ] {
        let (scope, other) = (Scope::new(scope).unwrap(), Scope::new(other).unwrap());
        assert_eq!(scope.is_subset_of(&other), expected, "{scope} {other}");
    }
}

#[test]
fn json_is_a_string_and_debug_output_shows_the_text() {
    let scope = Scope::new("a b").unwrap();
    assert_eq!(serde_json::to_string(&scope).unwrap(), r#""a b""#);
    assert_eq!(serde_json::from_str::<Scope>(r#""a b""#).unwrap(), scope);
    assert!(serde_json::from_str::<Scope>(r#""a  b""#).is_err());
    assert_eq!(format!("{scope:?}"), r#"Scope("a b")"#);
}

proptest! {
    #[test]
    fn any_text_is_accepted_exactly_if_it_follows_the_grammar(text in "[ -~\t]{0,20}") {
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
        };
        let expected = text.split(' ').all(is_name);
        prop_assert_eq!(Scope::new(text.clone()).is_ok(), expected);
        prop_assert_eq!(verify_scope_text(&text).is_ok(), expected);
    }

    #[test]
    fn a_scope_contains_its_names_only(names in proptest::collection::vec("[a-c]{1,2}", 1..6), other in "[a-c ]{0,3}") {
        let scope = Scope::from_names(&names).unwrap();
        prop_assert!(names.iter().all(|name| scope.contains(name)));
        prop_assert_eq!(scope.contains(&other), names.contains(&other));
    }
}
