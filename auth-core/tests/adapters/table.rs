//! A table of requests that every framework must refuse, each with the expected refusal.

mod grants;

use serde_json::{Value, json};

use crate::fixtures::{NOW, forged_token, sign, token_with_claims, valid_claims, valid_token};

/// The resource or the service that a request is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A resource that user 42 may use. The valid tokens of the requests belong to user 42.
    User42,
    /// A resource of another user than user 42.
    OtherUser,
    /// A resource that requires the role `admin` or `editor`.
    AnyRole,
    /// A resource that requires the roles `admin` and `editor`.
    EveryRole,
    /// A resource that requires the scope `tasks:read` or `tasks:write`.
    AnyScope,
    /// A resource that requires the scopes `tasks:read` and `tasks:write`.
    EveryScope,
    /// A resource that reads the custom claim `plan`, a string.
    Plan,
    /// A service without an authority, or a route that must name a `user_id` and does not.
    NoAuthority,
    /// A service whose revocation feed has no recent response.
    StaleFeed,
    /// A service whose remote authority is unreachable.
    Unreachable,
}

/// A request, and the expected refusal.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) target: Target,
    /// The header fields of the request, in the order in which they are sent.
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) expected: RefusalResponse,
}

/// A refusal over HTTP. Over gRPC, a gRPC code stands for `status`, and the details of the gRPC status are `body`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RefusalResponse {
    pub(crate) status: u16,
    /// The value of `WWW-Authenticate`.
    pub(crate) challenge: Option<String>,
    /// The value of `Retry-After`.
    pub(crate) retry_after: Option<String>,
    pub(crate) body: String,
}

fn refusal(status: u16, title: &str, code: &str, detail: &str) -> RefusalResponse {
    RefusalResponse {
        status,
        challenge: None,
        retry_after: None,
        body: format!(
            r#"{{"status":{status},"title":"{title}","code":"{code}","detail":"{detail}","message":"{detail}"}}"#
        ),
    }
}

fn unauthorized(code: &str, detail: &str) -> RefusalResponse {
    let attributes = format!(r#", error="invalid_token", error_description="{detail}""#);
    let error_attributes = if code == "UNAUTHORIZED" {
        ""
    } else {
        &attributes
    };
    RefusalResponse {
        challenge: Some(format!(r#"Bearer realm="api"{error_attributes}"#)),
        ..refusal(401, "Unauthorized", code, detail)
    }
}

fn case(name: &str, fields: &[(&'static str, &str)], expected: RefusalResponse) -> Case {
    Case {
        name: name.to_owned(),
        target: Target::User42,
        fields: fields
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        expected,
    }
}

pub(crate) fn refused_requests() -> Vec<Case> {
    let mut cases = header_cases();
    cases.extend(malformed_token_cases());
    cases.extend(claim_cases());
    cases.extend(ownership_and_configuration_cases());
    cases.extend(unavailable_cases());
    cases.extend(grants::role_cases());
    cases.extend(grants::scope_cases());
    cases.extend(grants::custom_claim_cases());
    cases
}

const AUTHORIZATION: &str = "authorization";

fn header_cases() -> Vec<Case> {
    let bearer = format!("Bearer {}", valid_token());
    let grammar_detail = "The Authorization header must be Bearer, one space and a token";
    let characters_detail = "The bearer token has characters that no token has";
    let invalid_token = |detail| unauthorized("INVALID_TOKEN", detail);
    let repeated_header = || invalid_token("Send exactly one Authorization header");
    let no_credentials = || unauthorized("UNAUTHORIZED", "Authentication is required");
    let one_header_case = |name: &str, value: &str, detail| {
        case(name, &[(AUTHORIZATION, value)], invalid_token(detail))
    };
    let cookie = format!("access_token={}", valid_token());
    vec![
        case("no header", &[], no_credentials()),
        case(
            "a cookie that is not accepted",
            &[("cookie", &cookie)],
            no_credentials(),
        ),
        one_header_case("no scheme", &valid_token(), grammar_detail),
        one_header_case("another scheme", "Basic YTpi", grammar_detail),
        one_header_case("a scheme alone", "Bearer", grammar_detail),
        one_header_case("two spaces", &bearer.replace(' ', "  "), characters_detail),
        one_header_case("a comma", "Bearer a,b", characters_detail),
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

fn malformed_token_cases() -> Vec<Case> {
    let header_with_crit = json!({ "alg": "HS256", "typ": "at+jwt", "crit": ["exp"] });
    let token_with_alg_and_typ =
        |alg: &str, typ: &str| sign(&json!({ "alg": alg, "typ": typ }), &valid_claims());
    let invalid_tokens = [
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
            forged_token(),
            "The token signature does not match",
        ),
        (
            "no algorithm",
            token_with_alg_and_typ("none", "at+jwt"),
            "The token algorithm must be HS256",
        ),
        (
            "another algorithm",
            token_with_alg_and_typ("HS512", "at+jwt"),
            "The token algorithm must be HS256",
        ),
        (
            "another type",
            token_with_alg_and_typ("HS256", "JWT"),
            "The token type must be at+jwt",
        ),
        (
            "crit",
            sign(&header_with_crit, &valid_claims()),
            "The token header has crit, b64 or zip",
        ),
    ];
    let to_case = |(name, token, detail): (&str, String, &str)| {
        token_case(name, &token, "INVALID_TOKEN", detail)
    };
    invalid_tokens.map(to_case).into()
}

fn token_case(name: &str, token: &str, code: &str, detail: &str) -> Case {
    let bearer = format!("Bearer {token}");
    case(
        name,
        &[(AUTHORIZATION, &bearer)],
        unauthorized(code, detail),
    )
}

fn claim_cases() -> Vec<Case> {
    let claim_names = ["iss", "aud", "sub", "email", "iat", "exp", "jti", "sid"];
    let missing_cases = claim_names.map(|claim| {
        let detail = format!("The token lacks the claim {claim}");
        token_case(
            &format!("no {claim}"),
            &token_with_claims(&[(claim, None)]),
            "INVALID_TOKEN",
            &detail,
        )
    });
    let unacceptable_claims: [(&str, Value); 16] = [
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
        ("roles", json!("admin")),
        ("roles", json!(["admin", "admin"])),
        ("scope", json!("tasks:read\ttasks:write")),
        ("claims_version", json!("1")),
    ];
    let unacceptable_cases = unacceptable_claims.map(|(claim, value)| {
        let detail = format!("The token claim {claim} is not acceptable");
        let name = format!("{claim} is {value}");
        token_case(
            &name,
            &token_with_claims(&[(claim, Some(value))]),
            "INVALID_TOKEN",
            &detail,
        )
    });
    missing_cases
        .into_iter()
        .chain(unacceptable_cases)
        .chain(time_cases())
        .collect()
}

fn time_cases() -> [Case; 5] {
    let not_yet_valid_case = |claim| {
        let token = token_with_claims(&[(claim, Some(json!(NOW + 6)))]);
        let name = format!("{claim} in the future");
        token_case(&name, &token, "INVALID_TOKEN", "The token is not valid yet")
    };
    let expired_token = token_with_claims(&[
        ("iat", Some(json!(NOW - 905))),
        ("exp", Some(json!(NOW - 5))),
    ]);
    let revoked_token = token_with_claims(&[("sid", Some(json!("revoked")))]);
    let stale_token = token_with_claims(&[
        ("sub", Some(json!("changed"))),
        ("claims_version", Some(json!(1))),
    ]);
    let stale_detail = "The token is older than a change of its user; refresh the token";
    let revoked_detail = "The session of the token has ended";
    [
        not_yet_valid_case("iat"),
        not_yet_valid_case("nbf"),
        token_case(
            "expired",
            &expired_token,
            "TOKEN_EXPIRED",
            "The token has expired",
        ),
        token_case("revoked", &revoked_token, "TOKEN_REVOKED", revoked_detail),
        token_case("stale", &stale_token, "TOKEN_STALE", stale_detail),
    ]
}

fn ownership_and_configuration_cases() -> Vec<Case> {
    let bearer = format!("Bearer {}", valid_token());
    let forbidden = |detail| refusal(403, "Forbidden", "FORBIDDEN", detail);
    let user_id_mismatch = || forbidden("X-User-Id differs from the user of the token");
    let internal_detail = "Something went wrong on our side";
    let internal_error = refusal(
        500,
        "Internal Server Error",
        "INTERNAL_SERVER_ERROR",
        internal_detail,
    );
    let authorization = (AUTHORIZATION, bearer.as_str());
    vec![
        case(
            "X-User-Id of another",
            &[authorization, ("x-user-id", "43")],
            user_id_mismatch(),
        ),
        case(
            "X-User-Id of both",
            &[authorization, ("x-user-id", "42"), ("x-user-id", "43")],
            user_id_mismatch(),
        ),
        Case {
            target: Target::OtherUser,
            ..case(
                "the wrong owner",
                &[authorization],
                forbidden("This address belongs to another user"),
            )
        },
        Case {
            target: Target::NoAuthority,
            ..case(
                "a service without an authority",
                &[authorization],
                internal_error,
            )
        },
    ]
}

fn unavailable_cases() -> [Case; 2] {
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
        let expected = RefusalResponse {
            retry_after: Some("1".to_owned()),
            ..refusal(503, "Service Unavailable", "AUTHORITY_UNAVAILABLE", detail)
        };
        Case {
            target,
            ..case(name, &[(AUTHORIZATION, &bearer)], expected)
        }
    })
}
