//! Tests required claims, types and values of claims, and duplicate claims (RFC 7519 § 4).

mod custom;
mod policy;
mod roles;
mod scope;
mod times;
mod version;

use auth_core::{Caller, Error};

use crate::fixtures::{Payload, error_name, verify, verify_with_payload};
use crate::{fixtures, reference};

const TEXT_CLAIMS: [&str; 5] = ["iss", "sub", "email", "jti", "sid"];
const REQUIRED_CLAIMS: [&str; 8] = ["iss", "aud", "sub", "email", "iat", "exp", "jti", "sid"];

#[test]
fn a_token_of_another_library_with_the_required_claims_is_accepted() {
    let claims = Payload::valid().verify().unwrap();
    assert_eq!(claims.sub, "42");
    assert_eq!(claims.email.as_deref(), Some("ada@example.com"));
    assert_eq!(claims.email_verified, None);
    assert_eq!(claims.jti, "t1");
    assert_eq!(claims.sid.as_deref(), Some("7"));
    assert_eq!(claims.iat, 1_800_000_000);
    assert_eq!(claims.exp, 1_800_000_900);
}

#[test]
fn a_token_without_a_required_claim_is_rejected() {
    for claim in REQUIRED_CLAIMS {
        let result = Payload::valid().without(claim).verify();
        assert_eq!(result, Err(Error::MissingClaim(claim)));
    }
    assert_eq!(verify_with_payload("{}"), Err(Error::MissingClaim("iss")));
}

#[test]
fn text_claims_are_strings() {
    for claim in TEXT_CLAIMS {
        for value in [
            "null",
            "42",
            "4.2",
            "true",
            r#"["42"]"#,
            r#"{"a":"42"}"#,
            "[]",
        ] {
            let result = Payload::valid().with(claim, value).verify();
            assert_eq!(result, Err(Error::InvalidClaim(claim)), "{claim}: {value}");
        }
    }
}

#[test]
fn time_claims_are_numbers() {
    for claim in ["iat", "exp", "nbf"] {
        for value in [
            "null",
            "true",
            r#""1800000000""#,
            r#""""#,
            "[1800000000]",
            r#"{"a":1800000000}"#,
            "1e999",
            "-1e999",
        ] {
            let result = Payload::valid().with(claim, value).verify();
            assert_eq!(result, Err(Error::InvalidClaim(claim)), "{claim}: {value}");
        }
    }
}

#[test]
fn email_verified_is_absent_or_a_boolean() {
    for (value, expected) in [("true", true), ("false", false)] {
        let payload = Payload::valid().with("email_verified", value);
        let claims = payload.verify().unwrap();
        assert_eq!(claims.email_verified, Some(expected));
        assert_eq!(Caller::from(claims).email_verified, Some(expected));
    }
    let claims = Payload::valid().verify().unwrap();
    assert_eq!(Caller::from(claims).email_verified, None);
    for value in [
        "null",
        "0",
        "1",
        "1.0",
        r#""""#,
        r#""true""#,
        r#""false""#,
        "[]",
        "[true]",
        "{}",
        r#"{"a":true}"#,
    ] {
        let result = Payload::valid().with("email_verified", value).verify();
        assert_eq!(
            result,
            Err(Error::InvalidClaim("email_verified")),
            "{value}"
        );
    }
}

#[test]
fn the_audience_equals_or_contains_the_expected_audience() {
    for value in [
        r#""api""#,
        r#"["api"]"#,
        r#"["other","api"]"#,
        r#"["api","api"]"#,
        r#""\u0061pi""#,
        r#"["\u0061pi"]"#,
    ] {
        let result = Payload::valid().with("aud", value).verify();
        assert_eq!(error_name(&result), "accepted", "{value}");
    }
    for value in [
        r#""other""#,
        r#""API""#,
        r#""api ""#,
        r#""api/""#,
        r#""apis""#,
        r#""ap""#,
        r#""""#,
        r#""*""#,
        r#""api,other""#,
        "[]",
        r#"["other"]"#,
        r#"[["api"]]"#,
        r#"["api",1]"#,
        r#"[null,"api"]"#,
        r#"["api",{}]"#,
        "null",
        "1",
        "true",
        "{}",
        r#"{"api":true}"#,
        r#"{"0":"api"}"#,
    ] {
        let result = Payload::valid().with("aud", value).verify();
        assert_eq!(result, Err(Error::InvalidClaim("aud")), "{value}");
    }
}

#[test]
fn the_issuer_is_compared_byte_for_byte() {
    for value in [
        "other",
        "API-server",
        "api-server ",
        " api-server",
        "api-server/",
        "api-serve",
        "api-server\\u0000",
        "api\\u2010server",
        "",
    ] {
        let result = Payload::valid()
            .with("iss", format!("\"{value}\""))
            .verify();
        assert_eq!(result, Err(Error::InvalidClaim("iss")), "{value}");
    }
    let payload = Payload::valid().with("iss", r#"["api-server"]"#);
    assert_eq!(
        payload.verify(),
        Err(Error::InvalidClaim("iss")),
        "an array"
    );
}

#[test]
fn the_subject_is_not_empty_and_has_no_surrounding_white_space() {
    for value in [
        "",
        " ",
        " 42",
        "42 ",
        "\\t42",
        "42\\n",
        "42\\u00a0",
        "\\u200342",
        "42\\u3000",
        "42\\u2028",
    ] {
        let result = Payload::valid()
            .with("sub", format!("\"{value}\""))
            .verify();
        assert_eq!(result, Err(Error::InvalidClaim("sub")), "{value:?}");
    }
    for value in [
        "4 2",
        "0",
        "-1",
        "null",
        "ada@example.com",
        "Ａ\\u0301",
        "4\\u00002",
    ] {
        let result = Payload::valid()
            .with("sub", format!("\"{value}\""))
            .verify();
        assert_eq!(error_name(&result), "accepted", "{value:?}");
    }
}

#[test]
fn a_duplicate_claim_is_rejected() {
    for claim in REQUIRED_CLAIMS.iter().chain(&["nbf", "email_verified"]) {
        for (name, second_value) in [
            ("an equal value", None),
            ("null", Some("null")),
            ("a text", Some("\"x\"")),
        ] {
            let first_value = valid_claim_value(claim);
            let result = Payload::valid()
                .with(claim, &first_value)
                .with_member(claim, second_value.unwrap_or(&first_value))
                .verify();
            assert_eq!(
                result,
                Err(Error::InvalidClaim(claim)),
                "{claim} and {name}"
            );
        }
        let escaped_name = format!("\\u{:04x}{}", claim.as_bytes()[0], &claim[1..]);
        let result = Payload::valid()
            .with(claim, valid_claim_value(claim))
            .with_member(&escaped_name, valid_claim_value(claim))
            .verify();
        assert_eq!(result, Err(Error::InvalidClaim(claim)), "{escaped_name}");
    }
}

fn valid_claim_value(claim: &str) -> String {
    match claim {
        "iss" => r#""api-server""#.to_owned(),
        "aud" => r#""api""#.to_owned(),
        "email_verified" => "true".to_owned(),
        "iat" | "nbf" => fixtures::NOW.to_string(),
        "exp" => (fixtures::NOW + 900).to_string(),
        _ => r#""42""#.to_owned(),
    }
}

#[test]
fn escapes_in_claim_names_are_decoded() {
    let payload = Payload::valid()
        .without("sub")
        .with_member("s\\u0075b", r#""43""#);
    assert_eq!(payload.verify().unwrap().sub, "43");
}

#[test]
fn claim_names_are_case_sensitive_and_unknown_claims_are_ignored() {
    let payload = Payload::valid()
        .with_member("Sub", r#""admin""#)
        .with_member("EXP", "1")
        .with_member("x", "1e999")
        .with_member("x", r#"{"sub":"admin"}"#)
        .with_member("", "null")
        .with_member("Roles", r#"["admin"]"#);
    assert_eq!(payload.verify().unwrap().sub, "42");
}

#[test]
fn email_jti_and_sid_may_be_any_string() {
    for claim in ["email", "jti", "sid"] {
        for value in ["", " ", "\\u0000", "\\ud83d\\ude00", "عربى", "e\\u0301"] {
            let result = Payload::valid()
                .with(claim, format!("\"{value}\""))
                .verify();
            assert_eq!(error_name(&result), "accepted", "{claim}: {value}");
        }
    }
}

#[test]
fn a_lone_surrogate_is_rejected() {
    for claim in TEXT_CLAIMS {
        for value in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#] {
            let result = Payload::valid().with(claim, value).verify();
            assert_eq!(result, Err(Error::InvalidClaim(claim)), "{claim}: {value}");
        }
    }
}

#[test]
fn text_claims_are_returned_with_decoded_escapes() {
    let payload = Payload::valid()
        .with("sub", r#""\u00e9\ud83d\ude00\"\\\/\b\f\n\r\tz""#)
        .with("email", "\"😀@exämple.org\"");
    let claims = payload.verify().unwrap();
    assert_eq!(claims.sub, "é😀\"\\/\u{8}\u{c}\n\r\tz");
    assert_eq!(claims.email.as_deref(), Some("😀@exämple.org"));
}

/// The MAC is computed from the received text (RFC 7515 § 5.2), not from the claims.
#[test]
fn a_rewritten_payload_does_not_match_the_mac() {
    let valid_token = reference::sign(fixtures::HEADER, Payload::valid().json(), fixtures::SECRET);
    let rewritten_payload =
        reference::base64url(Payload::valid().json().replace(':', ": ").as_bytes());
    let parts: Vec<&str> = valid_token.split('.').collect();
    let token = format!("{}.{rewritten_payload}.{}", parts[0], parts[2]);
    assert_eq!(verify(&token), Err(Error::SignatureMismatch));
}
