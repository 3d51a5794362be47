//! Tests custom claims: reading them as a type of the service, and that they change nothing else.

use std::collections::BTreeMap;

use auth_core::{Caller, Claims, CustomClaimsJson, Error};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fixtures::{HEADER, Payload, SECRET, SUBJECT, issuer, keyring, now, verifier};
use crate::reference;

/// Every reserved name, with a value that would be wrong for its claim or would give more rights.
const RESERVED: [(&str, &str); 19] = [
    ("iss", r#""evil""#),
    ("sub", r#""43""#),
    ("aud", r#""other""#),
    ("exp", "1"),
    ("nbf", "4000000000"),
    ("iat", "1"),
    ("jti", "1"),
    ("client_id", r#""app""#),
    ("auth_time", "1"),
    ("acr", r#""high""#),
    ("amr", r#"["mfa"]"#),
    ("scope", r#""everything""#),
    ("groups", r#"["wheel"]"#),
    ("roles", r#"["admin"]"#),
    ("entitlements", r#"["x"]"#),
    ("sid", r#""8""#),
    ("email", r#""eve@example.com""#),
    ("email_verified", "true"),
    ("claims_version", "9"),
];

type AnyMembers = BTreeMap<String, Value>;

#[derive(Debug, Deserialize, PartialEq, Eq)]
struct Plan {
    plan: String,
    #[serde(default)]
    seats: u32,
}

/// Verifies a token with this payload. Asserts that `verify_with` and claims that were kept (`with_custom_claims`) have
/// the same custom claims.
fn verify_with<T>(payload: &Payload) -> Result<(Claims, T), Error>
where
    T: serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let token = reference::sign(HEADER, payload.json(), SECRET);
    let result = verifier(keyring()).verify_with::<T>(&token, now());
    let keeping_verifier = verifier(keyring()).with_custom_claims();
    let kept = keeping_verifier.verify(&token, now())?;
    let custom = result
        .as_ref()
        .map(|(_, custom)| custom)
        .map_err(|error| *error);
    assert_eq!(kept.custom::<T>().as_ref().map_err(|error| *error), custom);
    let from_caller = Caller::from(kept).custom::<T>();
    assert_eq!(from_caller.as_ref().ok(), custom.ok());
    result
}

#[test]
fn custom_claims_are_read_as_the_type_of_the_service() {
    let payload = Payload::valid()
        .with_member("plan", r#""pro""#)
        .with_member("seats", 3)
        .with_member("other", "[1]");
    let (claims, plan) = verify_with::<Plan>(&payload).unwrap();
    let plan_of_3 = Plan {
        plan: "pro".to_owned(),
        seats: 3,
    };
    assert_eq!((&*claims.sub, plan), ("42", plan_of_3));
    let (_, members) = verify_with::<AnyMembers>(&payload).unwrap();
    let names: Vec<&str> = members.keys().map(String::as_str).collect();
    assert_eq!(names, ["other", "plan", "seats"]);
}

#[test]
fn a_token_without_the_required_custom_claims_is_a_403() {
    for payload in [
        Payload::valid(),
        Payload::valid().with_member("plan", "1"),
        Payload::valid()
            .with_member("plan", r#""pro""#)
            .with_member("seats", "-1"),
        Payload::valid()
            .with_member("plan", r#""pro""#)
            .with_member("plan", r#""free""#),
    ] {
        let error = verify_with::<Plan>(&payload).unwrap_err();
        assert_eq!(error, Error::InvalidCustomClaims);
        assert_eq!((error.status(), error.code()), (403, "FORBIDDEN"));
        assert_eq!(error.www_authenticate(), None);
    }
}

#[test]
fn an_invalid_token_is_rejected_before_its_custom_claims_are_read() {
    let payload = Payload::valid().without("sub");
    let token = reference::sign(HEADER, payload.json(), SECRET);
    let result = verifier(keyring()).verify_with::<Plan>(&token, now());
    assert_eq!(result.unwrap_err(), Error::MissingClaim("sub"));
}

#[test]
fn custom_claims_that_were_not_kept_are_an_error_of_the_service() {
    let token = reference::sign(HEADER, Payload::valid().json(), SECRET);
    let claims = verifier(keyring()).verify(&token, now()).unwrap();
    let error = claims.custom::<AnyMembers>().unwrap_err();
    assert_eq!(error.status(), 500);
    assert!(error.to_string().contains("with_custom_claims"), "{error}");
    let refusal = Caller::from(claims).custom::<AnyMembers>().unwrap_err();
    assert_eq!(refusal.status(), 500);
}

#[test]
fn kept_claims_show_nothing_in_debug_output() {
    let payload = Payload::valid().with_member("plan", r#""canary""#);
    let token = reference::sign(HEADER, payload.json(), SECRET);
    let keeping_verifier = verifier(keyring()).with_custom_claims();
    let claims = keeping_verifier.verify(&token, now()).unwrap();
    assert!(!format!("{claims:?}").contains("canary"));
}

/// A type whose fields have reserved names.
#[derive(Debug, Deserialize, PartialEq)]
struct Shadow {
    sub: Option<String>,
    roles: Option<Vec<String>>,
}

#[test]
fn no_reserved_name_is_read_as_a_custom_claim() {
    let payload = Payload::valid()
        .with("roles", r#"["editor"]"#)
        .with("scope", r#""a""#)
        .with_member("groups", "[1]")
        .with_member("client_i\\u0064", "1")
        .with_member("plan", r#""pro""#)
        .with_member("Sub", "1");
    let (_, members) = verify_with::<AnyMembers>(&payload).unwrap();
    let names: Vec<&str> = members.keys().map(String::as_str).collect();
    assert_eq!(names, ["Sub", "plan"]);
    let (_, shadow) = verify_with::<Shadow>(&payload).unwrap();
    assert_eq!((shadow.sub, shadow.roles), (None, None));
}

#[test]
fn a_reserved_name_cannot_be_set() {
    for (name, value) in RESERVED {
        let escaped_name = format!("\\u{:04x}{}", name.as_bytes()[0], &name[1..]);
        for json in [
            format!(r#"{{"{name}":{value}}}"#),
            format!(r#"{{"plan":"pro","{name}":null}}"#),
            format!(r#"{{"{escaped_name}":{value}}}"#),
        ] {
            let error = CustomClaimsJson::parse(&json).unwrap_err();
            assert_eq!(error, Error::ReservedClaim(name), "{json}");
            assert_eq!((error.status(), error.code()), (422, "VALIDATION_ERROR"));
            assert!(error.to_string().contains(name));
        }
        let nested = format!(r#"{{"plan":{{"{name}":{value}}}}}"#);
        assert!(CustomClaimsJson::parse(&nested).is_ok(), "{nested}");
    }
    let error = CustomClaimsJson::new(&json!({ "sub": "43" })).unwrap_err();
    assert_eq!(error, Error::ReservedClaim("sub"));
}

#[test]
fn custom_claims_are_one_object_of_at_most_1_kib() {
    for json in [
        "",
        "null",
        "1",
        "[]",
        r#""x""#,
        "{",
        "{} {}",
        r#"{"a":1e999}"#,
        r#"{"a"}"#,
    ] {
        let result = CustomClaimsJson::parse(json);
        assert!(
            matches!(result, Err(Error::UnacceptableClaims(_))),
            "{json}"
        );
    }
    for (length, is_accepted) in [(1023, true), (1024, true), (1025, false)] {
        let text = "x".repeat(length - r#"{"a":""}"#.len());
        let result = CustomClaimsJson::new(&json!({ "a": text }));
        assert_eq!(
            result.as_ref().map(|custom| custom.as_str().len()).ok(),
            is_accepted.then_some(length)
        );
    }
    assert!(CustomClaimsJson::new(&[1]).is_err() && CustomClaimsJson::new("x").is_err());
}

#[test]
fn custom_claims_are_nested_at_most_16_deep() {
    for (depth, is_accepted) in [
        (1, true),
        (15, true),
        (16, true),
        (17, false),
        (100, false),
        (1000, false),
    ] {
        let arrays = depth - 1;
        let json = format!(r#"{{"a":{}{}}}"#, "[".repeat(arrays), "]".repeat(arrays));
        let json = if arrays == 0 {
            r#"{"a":1}"#.to_owned()
        } else {
            json
        };
        assert_eq!(
            CustomClaimsJson::parse(&json).is_ok(),
            is_accepted,
            "{depth}"
        );
        let objects = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
        assert_eq!(
            CustomClaimsJson::parse(&objects).is_ok(),
            is_accepted,
            "{depth}"
        );
    }
}

#[test]
fn the_text_of_custom_claims_has_no_white_space_between_its_parts() {
    let custom = CustomClaimsJson::parse(" { \"a\" : [ 1 , \" \" ] } ").unwrap();
    assert_eq!(custom.as_str(), r#"{"a":[1," "]}"#);
    assert!(!custom.is_empty());
    assert!(CustomClaimsJson::default().is_empty());
    assert_eq!(
        CustomClaimsJson::parse("{ }"),
        Ok(CustomClaimsJson::default())
    );
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(any_member_name(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Generates reserved names, similar names and other names.
fn any_member_name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(RESERVED.map(|(name, _)| name).to_vec()).prop_map(str::to_owned),
        prop::sample::select(RESERVED.map(|(name, _)| name).to_vec()).prop_map(str::to_uppercase),
        "[a-z]{0,6}",
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn no_custom_claims_change_what_is_read(members in btree_map(any_member_name(), any_value(), 0..6)) {
        let is_reserved = |name: &String| RESERVED.iter().any(|(reserved, _)| reserved == name);
        let issuer = issuer(keyring());
        let plain = issuer.token_for(&SUBJECT).with_jti("1").issue(now()).unwrap();
        let custom = match CustomClaimsJson::new(&members) {
            Ok(custom) => custom,
            Err(Error::ReservedClaim(name)) => {
                prop_assert!(members.contains_key(name));
                return Ok(());
            }
            Err(error) => {
                prop_assert!(matches!(error, Error::UnacceptableClaims(_)));
                prop_assert!(serde_json::to_string(&members).unwrap().len() > CustomClaimsJson::MAX_BYTES);
                return Ok(());
            }
        };
        prop_assert!(!members.keys().any(is_reserved));
        let builder = issuer.token_for(&SUBJECT).with_jti("1").with_custom_claims(&custom);
        let issued = builder.issue(now()).unwrap();
        prop_assert_eq!(&issued.claims, &plain.claims);
        let (claims, read) = verifier(keyring()).verify_with::<AnyMembers>(&issued.token, now()).unwrap();
        prop_assert_eq!(claims, plain.claims);
        prop_assert_eq!(read, members);
    }

    #[test]
    fn no_unknown_member_of_a_foreign_token_changes_what_is_read(members in btree_map(any_member_name(), any_value(), 0..6)) {
        let is_reserved = |name: &String| RESERVED.iter().any(|(reserved, _)| reserved == name);
        let mut payload = Payload::valid();
        for (name, value) in members.iter().filter(|(name, _)| !is_reserved(name)) {
            let escaped_name = serde_json::to_string(name).unwrap();
            payload = payload.with_member(escaped_name.trim_matches('"'), value);
        }
        prop_assume!(payload.json().len() < 5000 && !members.keys().any(|name| name.contains('"')));
        prop_assert_eq!(payload.verify(), Payload::valid().verify());
    }
}
