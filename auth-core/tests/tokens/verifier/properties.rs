//! Tests with random input that a verification returns claims or an error with status 401, and that valid claims are
//! returned unchanged.

use auth_core::{Error, Secret, Subject, bearer};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::fixtures::{
    HEADER, Payload, SECRET, error_name, issuer, keyring, now, valid_token, verifier, verify,
    verify_payload,
};
use crate::reference::{base64url, sign, sign_parts};

fn assert_401(error: &Error) {
    assert_eq!(error.status(), 401, "{error:?}");
}

/// Generates text that is usually valid JSON, with values that parsers handle differently.
fn any_json() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:e}")),
        Just("1e999".to_owned()),
        Just("-0".to_owned()),
    ];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|boolean| boolean.to_string()),
        number,
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        "\"[\\\\ud08-9a-f\"]{0,12}\"".prop_map(|text| text),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            vec((any_name(), inner), 0..6).prop_map(|members| json_object(&members)),
        ]
    })
}

/// Generates names of claims and header parameters, and other names.
fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "alg",
            "typ",
            "kid",
            "crit",
            "iss",
            "aud",
            "sub",
            "email",
            "iat",
            "exp",
            "nbf",
            "jti",
            "sid",
            "roles",
            "scope",
            "claims_version",
            "\\u0073ub",
            "",
        ])
        .prop_map(str::to_owned),
        "[a-z\\\\u00]{0,6}",
    ]
}

fn json_object(members: &[(String, String)]) -> String {
    let member = |(name, value): &(String, String)| format!("\"{name}\":{value}");
    let texts: Vec<String> = members.iter().map(member).collect();
    format!("{{{}}}", texts.join(","))
}

/// Generates user ids that a verifier accepts: not empty, without surrounding white space.
fn any_user_id() -> impl Strategy<Value = String> {
    any::<String>().prop_filter("valid", |text| !text.is_empty() && text.trim() == text)
}

proptest! {
    #[test]
    fn arbitrary_text_is_rejected(text in any::<String>()) {
        assert_401(&verify(&text).unwrap_err());
    }

    #[test]
    fn text_in_the_form_of_a_token_is_rejected(text in "[A-Za-z0-9_=+/ -]{0,40}(\\.[A-Za-z0-9_=-]{0,40}){0,4}") {
        assert_401(&verify(&text).unwrap_err());
    }

    #[test]
    fn no_header_field_makes_the_parser_panic(bytes in vec(any::<u8>(), 0..64)) {
        if let Ok(token) = bearer::token([bytes.as_slice()]) {
            prop_assert!(bytes.ends_with(token.as_bytes()) && !token.is_empty());
        }
    }

    #[test]
    fn a_token_with_random_text_in_place_of_a_part_is_rejected(
        start_index in any::<prop::sample::Index>(),
        random_text in "[A-Za-z0-9_.=-]{1,20}",
    ) {
        let valid_token = valid_token();
        let start = start_index.index(valid_token.len());
        let end = valid_token.len().min(start + random_text.len());
        let changed_token = format!("{}{random_text}{}", &valid_token[..start], &valid_token[end..]);
        if changed_token != valid_token {
            assert_401(&verify(&changed_token).unwrap_err());
        }
    }

    #[test]
    fn signed_arbitrary_bytes_are_rejected(header in vec(any::<u8>(), 1..80), payload in vec(any::<u8>(), 1..80)) {
        for token in [sign(&header, &payload, SECRET), sign(HEADER, &payload, SECRET)] {
            assert_401(&verify(&token).unwrap_err());
        }
    }

    #[test]
    fn a_signed_arbitrary_header_leads_to_claims_or_a_401(header in any_json()) {
        let result = verify(&sign(header, Payload::valid().json(), SECRET));
        result.as_ref().err().map(assert_401);
    }

    #[test]
    fn a_signed_arbitrary_payload_leads_to_claims_or_a_401(payload in any_json()) {
        let result = verify_payload(&verifier(keyring()), payload, now());
        result.as_ref().err().map(assert_401);
    }

    #[test]
    fn an_arbitrary_claim_value_leads_to_claims_or_a_401(name in any_name(), value in any_json()) {
        let result = Payload::valid().with(&name, &value).verify();
        result.as_ref().err().map(assert_401);
    }

    #[test]
    fn an_issued_token_verifies(id in any_user_id(), email in any::<String>(), email_verified: Option<bool>, session in any::<String>()) {
        let subject = Subject { id: &id, email: &email, email_verified, session_id: &session };
        let issued_token = issuer(keyring()).issue(&subject, now()).unwrap();
        let claims = verify(&issued_token.token).unwrap();
        prop_assert_eq!(&claims, &issued_token.claims);
        prop_assert_eq!((claims.sub, claims.email, claims.sid), (id, Some(email), Some(session)));
        prop_assert_eq!(claims.email_verified, email_verified);
    }

    #[test]
    fn a_token_of_another_library_verifies(id in any_user_id(), email in any::<String>()) {
        let to_json = |text: &str| serde_json::to_string(text).unwrap();
        let payload = Payload::valid().with("sub", to_json(&id)).with("email", to_json(&email));
        let claims = payload.verify().unwrap();
        prop_assert_eq!((claims.sub, claims.email), (id, Some(email)));
    }

    #[test]
    fn unknown_members_are_ignored(members in vec(("x[a-z]{1,4}", any_json()), 0..4)) {
        let valid_payload = Payload::valid();
        let payload_with_members = members.iter().fold(valid_payload.clone(), |payload, (name, value)| {
            payload.with_member(name, value)
        });
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&payload_with_members.json()).is_ok();
        let is_short = payload_with_members.json().len() < 5000;
        if is_json && is_short {
            prop_assert_eq!(payload_with_members.verify(), valid_payload.verify());
        }
    }

    #[test]
    fn every_accepted_secret_signs_and_verifies(bytes in vec(any::<u8>(), 0..80)) {
        let Ok(secret) = Secret::new(bytes.clone()) else {
            prop_assert!(bytes.len() < 32 || bytes.iter().collect::<std::collections::HashSet<_>>().len() < 6);
            return Ok(());
        };
        let keyring = auth_core::Keyring::new(secret);
        let token = issuer(keyring.clone()).issue(&crate::fixtures::SUBJECT, now()).unwrap().token;
        prop_assert!(verifier(keyring).verify(&token, now()).is_ok());
    }

    #[test]
    fn the_reference_encoding_equals_the_encoding_of_the_base64_crate(bytes in vec(any::<u8>(), 0..40)) {
        use base64::Engine as _;
        let expected = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&bytes);
        prop_assert_eq!(base64url(&bytes), expected);
    }
}

#[test]
fn headers_and_payloads_of_many_lengths_are_parsed() {
    for size in 0..1200 {
        let payload = Payload::valid().with_member("x", format!("\"{}\"", "x".repeat(size)));
        assert_eq!(error_name(&payload.verify()), "accepted", "{size}");
    }
    let header_with_kid_size = |size| {
        format!(
            r#"{{"alg":"HS256","typ":"at+jwt","kid":"{}"}}"#,
            "k".repeat(size)
        )
    };
    for size in 900..1500 {
        let (header_part, payload_part) = (
            base64url(header_with_kid_size(size).as_bytes()),
            base64url(Payload::valid().json().as_bytes()),
        );
        let token = sign_parts(&header_part, &payload_part, SECRET);
        assert_eq!(error_name(&verify(&token)), "accepted", "{size}");
    }
}
