//! A table of refused requests, each with the response that is expected from every framework.

use serde_json::{Value, json};

use crate::fixtures::{NOW, claims, forged, signed, valid_token, with_claims};

/// The resource or the service that a request is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A resource for any caller.
    Own,
    /// A resource of user 43.
    OtherUser,
    /// A service without an authority.
    NoAuthority,
    /// A service whose revocation feed is too old.
    StaleFeed,
    /// A service whose remote authority is unreachable.
    Unreachable,
}

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) target: Target,
    /// Header fields, in order.
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) expected: Refused,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) challenge: Option<String>,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: String,
}

fn refused(status: u16, title: &str, code: &str, detail: &str) -> Refused {
    Refused {
        status,
        challenge: None,
        retry_after: None,
        body: format!(
            r#"{{"status":{status},"title":"{title}","code":"{code}","detail":"{detail}","message":"{detail}"}}"#
        ),
    }
}

fn unauthorized(code: &str, detail: &str) -> Refused {
    let error = format!(r#", error="invalid_token", error_description="{detail}""#);
    let error = if code == "UNAUTHORIZED" { "" } else { &error };
    Refused {
        challenge: Some(format!(r#"Bearer realm="api"{error}"#)),
        ..refused(401, "Unauthorized", code, detail)
    }
}

fn case(name: &str, fields: &[(&'static str, &str)], expected: Refused) -> Case {
    Case {
        name: name.to_owned(),
        target: Target::Own,
        fields: fields
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        expected,
    }
}

pub(crate) fn every_refusal() -> Vec<Case> {
    let mut cases = header_errors();
    cases.extend(token_errors());
    cases.extend(claim_errors());
    cases.extend(ownership_and_configuration());
    cases.extend(unavailable());
    cases
}

const AUTHORIZATION: &str = "authorization";

fn header_errors() -> Vec<Case> {
    let bearer = format!("Bearer {}", valid_token());
    let grammar = "The Authorization header must be Bearer, one space and a token";
    let characters = "The bearer token has characters that no token has";
    let invalid = |detail| unauthorized("INVALID_TOKEN", detail);
    let repeated_header = || invalid("Send exactly one Authorization header");
    let no_credentials = || unauthorized("UNAUTHORIZED", "Authentication is required");
    let one =
        |name: &str, value: &str, detail| case(name, &[(AUTHORIZATION, value)], invalid(detail));
    let cookie = format!("access_token={}", valid_token());
    vec![
        case("no header", &[], no_credentials()),
        case(
            "a cookie that is not accepted",
            &[("cookie", &cookie)],
            no_credentials(),
        ),
        one("no scheme", &valid_token(), grammar),
        one("another scheme", "Basic YTpi", grammar),
        one("a scheme alone", "Bearer", grammar),
        one("two spaces", &bearer.replace(' ', "  "), characters),
        one("a comma", "Bearer a,b", characters),
        case(
            "the same header twice",
            &[(AUTHORIZATION, &bearer), (AUTHORIZATION, &bearer)],
            repeated_header(),
        ),
        case(
            "two headers",
            &[(AUTHORIZATION, "Bearer x"), (AUTHORIZATION, &bearer)],
            repeated_header(),
        ),
    ]
}

fn token_errors() -> Vec<Case> {
    let with_crit = json!({ "alg": "HS256", "typ": "at+jwt", "crit": ["exp"] });
    let typed = |alg: &str, typ: &str| signed(&json!({ "alg": alg, "typ": typ }), &claims());
    let errors = [
        ("junk", "junk".to_owned(), "A token has exactly three parts"),
        (
            "five parts",
            "a.b.c.d.e".to_owned(),
            "A token has exactly three parts",
        ),
        (
            "oversized",
            "a".repeat(8193),
            "The token is longer than 8192 bytes",
        ),
        (
            "another secret",
            forged(),
            "The token signature does not match",
        ),
        (
            "no algorithm",
            typed("none", "at+jwt"),
            "The token algorithm must be HS256",
        ),
        (
            "another algorithm",
            typed("HS512", "at+jwt"),
            "The token algorithm must be HS256",
        ),
        (
            "another type",
            typed("HS256", "JWT"),
            "The token type must be at+jwt",
        ),
        (
            "crit",
            signed(&with_crit, &claims()),
            "The token header has crit, b64 or zip",
        ),
    ];
    let case_of = |(name, token, detail): (&str, String, &str)| {
        token_case(name, &token, "INVALID_TOKEN", detail)
    };
    errors.map(case_of).into()
}

fn token_case(name: &str, token: &str, code: &str, detail: &str) -> Case {
    let bearer = format!("Bearer {token}");
    case(
        name,
        &[(AUTHORIZATION, &bearer)],
        unauthorized(code, detail),
    )
}

fn claim_errors() -> Vec<Case> {
    let names = ["iss", "aud", "sub", "email", "iat", "exp", "jti", "sid"];
    let missing = names.map(|claim| {
        let detail = format!("The token lacks the claim {claim}");
        token_case(
            &format!("no {claim}"),
            &with_claims(&[(claim, None)]),
            "INVALID_TOKEN",
            &detail,
        )
    });
    let unacceptable: [(&str, Value); 12] = [
        ("iss", json!("other")),
        ("iss", json!(["api-server"])),
        ("aud", json!("reports")),
        ("aud", json!([])),
        ("sub", json!("")),
        ("sub", json!(" 42")),
        ("sub", json!(42)),
        ("email", json!(null)),
        ("exp", json!("1800000900")),
        ("exp", json!(NOW + 500 * 86_400)),
        ("jti", json!(1)),
        ("sid", json!(7)),
    ];
    let unacceptable = unacceptable.map(|(claim, value)| {
        let detail = format!("The token claim {claim} is not acceptable");
        let name = format!("{claim} is {value}");
        token_case(
            &name,
            &with_claims(&[(claim, Some(value))]),
            "INVALID_TOKEN",
            &detail,
        )
    });
    missing
        .into_iter()
        .chain(unacceptable)
        .chain(time_errors())
        .collect()
}

fn time_errors() -> [Case; 4] {
    let not_yet_valid = |claim| {
        let token = with_claims(&[(claim, Some(json!(NOW + 6)))]);
        let name = format!("{claim} in the future");
        token_case(&name, &token, "INVALID_TOKEN", "The token is not valid yet")
    };
    let expired = with_claims(&[
        ("iat", Some(json!(NOW - 905))),
        ("exp", Some(json!(NOW - 5))),
    ]);
    let revoked_session = with_claims(&[("sid", Some(json!("revoked")))]);
    let revoked = "The session of the token has ended";
    [
        not_yet_valid("iat"),
        not_yet_valid("nbf"),
        token_case(
            "expired",
            &expired,
            "TOKEN_EXPIRED",
            "The token has expired",
        ),
        token_case("revoked", &revoked_session, "TOKEN_REVOKED", revoked),
    ]
}

fn ownership_and_configuration() -> Vec<Case> {
    let bearer = format!("Bearer {}", valid_token());
    let forbidden = |detail| refused(403, "Forbidden", "FORBIDDEN", detail);
    let mismatch = || forbidden("X-User-Id differs from the user of the token");
    let internal = "Something went wrong on our side";
    let internal = refused(
        500,
        "Internal Server Error",
        "INTERNAL_SERVER_ERROR",
        internal,
    );
    let valid = (AUTHORIZATION, bearer.as_str());
    vec![
        case(
            "X-User-Id of another",
            &[valid, ("x-user-id", "43")],
            mismatch(),
        ),
        case(
            "X-User-Id of both",
            &[valid, ("x-user-id", "42"), ("x-user-id", "43")],
            mismatch(),
        ),
        Case {
            target: Target::OtherUser,
            ..case(
                "the wrong owner",
                &[valid],
                forbidden("This address belongs to another user"),
            )
        },
        Case {
            target: Target::NoAuthority,
            ..case("a service without an authority", &[valid], internal)
        },
    ]
}

fn unavailable() -> [Case; 2] {
    let bearer = format!("Bearer {}", valid_token());
    [
        (
            "feed too old",
            Target::StaleFeed,
            "Whether the session has ended is not known at the moment; please try again",
        ),
        (
            "remote authority unreachable",
            Target::Unreachable,
            "The credentials cannot be verified at the moment; please try again",
        ),
    ]
    .map(|(name, target, detail)| {
        let expected = Refused {
            retry_after: Some("1".to_owned()),
            ..refused(503, "Service Unavailable", "AUTHORITY_UNAVAILABLE", detail)
        };
        Case {
            target,
            ..case(name, &[(AUTHORIZATION, &bearer)], expected)
        }
    })
}
