//! Which claims there must be, of which type, and how often (RFC 7519 § 4.1).

use auth_core::Error;

use crate::world::{Payload, fault, verify, with_payload};
use crate::{foreign, world};

const TEXTS: [&str; 5] = ["iss", "sub", "email", "jti", "sid"];
const REQUIRED: [&str; 8] = ["iss", "aud", "sub", "email", "iat", "exp", "jti", "sid"];

#[test]
fn a_foreign_token_with_the_right_claims_is_accepted() {
    let claims = Payload::good().verify().unwrap();
    assert_eq!(claims.sub, "42");
    assert_eq!(claims.email, "ada@example.com");
    assert_eq!(claims.jti, "t1");
    assert_eq!(claims.sid, "7");
    assert_eq!(claims.iat, 1_800_000_000);
    assert_eq!(claims.exp, 1_800_000_900);
}

#[test]
fn every_required_claim_is_required() {
    for claim in REQUIRED {
        let answer = Payload::good().without(claim).verify();
        assert_eq!(answer, Err(Error::MissingClaim(claim)));
    }
    assert_eq!(with_payload("{}"), Err(Error::MissingClaim("iss")));
}

#[test]
fn text_claims_are_strings() {
    for claim in TEXTS {
        for value in [
            "null",
            "42",
            "4.2",
            "true",
            r#"["42"]"#,
            r#"{"a":"42"}"#,
            "[]",
        ] {
            let answer = Payload::good().with(claim, value).verify();
            assert_eq!(answer, Err(Error::InvalidClaim(claim)), "{claim}: {value}");
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
            let answer = Payload::good().with(claim, value).verify();
            assert_eq!(answer, Err(Error::InvalidClaim(claim)), "{claim}: {value}");
        }
    }
}

#[test]
fn the_audience_is_or_contains_ours() {
    for value in [
        r#""api""#,
        r#"["api"]"#,
        r#"["other","api"]"#,
        r#"["api","api"]"#,
        r#""\u0061pi""#,
        r#"["\u0061pi"]"#,
    ] {
        let answer = Payload::good().with("aud", value).verify();
        assert_eq!(fault(&answer), "accepted", "{value}");
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
        let answer = Payload::good().with("aud", value).verify();
        assert_eq!(answer, Err(Error::InvalidClaim("aud")), "{value}");
    }
}

#[test]
fn the_issuer_is_ours_byte_for_byte() {
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
        let answer = Payload::good().with("iss", format!("\"{value}\"")).verify();
        assert_eq!(answer, Err(Error::InvalidClaim("iss")), "{value}");
    }
    let list = Payload::good().with("iss", r#"["api-server"]"#);
    assert_eq!(list.verify(), Err(Error::InvalidClaim("iss")), "an array");
}

#[test]
fn the_subject_is_not_empty_and_has_no_white_space_around_it() {
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
        let answer = Payload::good().with("sub", format!("\"{value}\"")).verify();
        assert_eq!(answer, Err(Error::InvalidClaim("sub")), "{value:?}");
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
        let answer = Payload::good().with("sub", format!("\"{value}\"")).verify();
        assert_eq!(fault(&answer), "accepted", "{value:?}");
    }
}

#[test]
fn a_claim_stands_once() {
    for claim in REQUIRED.iter().chain(&["nbf"]) {
        for (order, value) in [
            ("equal", None),
            ("then null", Some("null")),
            ("then text", Some("\"x\"")),
        ] {
            let good = good_value(claim);
            let answer = Payload::good()
                .with(claim, &good)
                .and(claim, value.unwrap_or(&good))
                .verify();
            assert_eq!(answer, Err(Error::InvalidClaim(claim)), "{claim} {order}");
        }
        let escaped = format!("\\u{:04x}{}", claim.as_bytes()[0], &claim[1..]);
        let answer = Payload::good()
            .with(claim, good_value(claim))
            .and(&escaped, good_value(claim))
            .verify();
        assert_eq!(answer, Err(Error::InvalidClaim(claim)), "{escaped}");
    }
}

fn good_value(claim: &str) -> String {
    match claim {
        "iss" => r#""api-server""#.to_owned(),
        "aud" => r#""api""#.to_owned(),
        "iat" | "nbf" => world::NOW.to_string(),
        "exp" => (world::NOW + 900).to_string(),
        _ => r#""42""#.to_owned(),
    }
}

#[test]
fn an_escaped_name_is_the_name() {
    let payload = Payload::good().without("sub").and("s\\u0075b", r#""43""#);
    assert_eq!(payload.verify().unwrap().sub, "43");
}

#[test]
fn names_differ_by_case_and_unknown_claims_are_ignored_even_twice() {
    let payload = Payload::good()
        .and("Sub", r#""admin""#)
        .and("EXP", "1")
        .and("x", "1e999")
        .and("x", r#"{"sub":"admin"}"#)
        .and("", "null")
        .and("roles", r#"["admin"]"#);
    assert_eq!(payload.verify().unwrap().sub, "42");
}

#[test]
fn email_jti_and_sid_may_be_any_string() {
    for claim in ["email", "jti", "sid"] {
        for value in ["", " ", "\\u0000", "\\ud83d\\ude00", "عربى", "e\\u0301"] {
            let answer = Payload::good().with(claim, format!("\"{value}\"")).verify();
            assert_eq!(fault(&answer), "accepted", "{claim}: {value}");
        }
    }
}

#[test]
fn a_lone_surrogate_is_no_string() {
    for claim in TEXTS {
        for value in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#] {
            let answer = Payload::good().with(claim, value).verify();
            assert_eq!(answer, Err(Error::InvalidClaim(claim)), "{claim}: {value}");
        }
    }
}

#[test]
fn text_comes_back_as_it_was_written() {
    let payload = Payload::good()
        .with("sub", r#""\u00e9\ud83d\ude00\"\\\/\b\f\n\r\tz""#)
        .with("email", "\"😀@exämple.org\"");
    let claims = payload.verify().unwrap();
    assert_eq!(claims.sub, "é😀\"\\/\u{8}\u{c}\n\r\tz");
    assert_eq!(claims.email, "😀@exämple.org");
}

/// The MAC is over the text as received (RFC 7515 § 5.2): the same claims, written otherwise, need their own.
#[test]
fn a_mac_does_not_cover_a_rewritten_payload() {
    let good = foreign::sign(world::HEADER, Payload::good().json(), world::SECRET);
    let rewritten = foreign::base64url(Payload::good().json().replace(':', ": ").as_bytes());
    let parts: Vec<&str> = good.split('.').collect();
    let token = format!("{}.{rewritten}.{}", parts[0], parts[2]);
    assert_eq!(verify(&token), Err(Error::SignatureMismatch));
}
